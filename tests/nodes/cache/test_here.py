from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from x25.nodes.cache.here import AnswersHere
from x25.state.cached_answers import VECTOR, Entry, NearQuestion
from x25.state.hits import KeptAnswer

NOON = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = KeptAnswer({}, "stop", None, {}, "v/m", "v", "mid", True, "qa", "qa", 0.1, 0.9, {}, 100)
NEAR = NearQuestion("ctx", "Where?", np.array([1, 0], VECTOR).tobytes(), "e")
ENTRY = Entry("acme", "k1", "c1", NOON, NOON + timedelta(hours=1), KEPT, 1_000, NEAR)


def test_those_not_used_for_the_longest_time_go_first_of_the_org_that_has_too_much():
    here = AnswersHere(most_org_bytes=3_000, most_bytes=10_000)
    here.keep(replace(ENTRY, org="other"))
    for number in range(1, 4):
        here.keep(replace(ENTRY, key=f"k{number}"))
    here.get("acme", "k1")
    here.keep(replace(ENTRY, key="k4"))
    assert [here.get("acme", f"k{number}") is not None for number in range(1, 5)] == [True, False, True, True]
    assert here.get("other", "k1")
    assert (len(here), here.size_bytes) == (4, 4_000)


def test_all_orgs_together_have_a_bound():
    here = AnswersHere(most_org_bytes=10_000, most_bytes=2_500)
    for org in ("a", "b", "c"):
        here.keep(replace(ENTRY, org=org))
    assert [here.get(org, "k1") is not None for org in ("a", "b", "c")] == [False, True, True]


def test_a_key_has_one_answer_and_a_call_takes_its_own_away():
    here = AnswersHere(most_org_bytes=10_000, most_bytes=10_000)
    here.keep(ENTRY)
    here.keep(replace(ENTRY, call_id="c2"))
    assert (len(here), here.size_bytes) == (1, 1_000)
    assert here.drop_call("acme", "c1") == 0
    assert here.drop_call("acme", "c2") == 1
    assert (len(here), here.size_bytes) == (0, 0)
    here.drop("acme", "k1")


def test_candidates_are_of_the_org_context_encoder_and_time():
    here = AnswersHere(most_org_bytes=10_000, most_bytes=10_000)
    here.keep(ENTRY)
    here.keep(replace(ENTRY, key="k2", near=None))
    assert here.near("acme", "ctx", "e", NOON).keys == ["k1"]
    for other in (("other", "ctx", "e", NOON), ("acme", "c", "e", NOON), ("acme", "ctx", "f", NOON),
                  ("acme", "ctx", "e", NOON + timedelta(seconds=1))):  # fmt: skip
        assert here.near(*other).keys == []
