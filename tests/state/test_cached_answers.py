from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from x25.state import cached_answers as module
from x25.state.cached_answers import VECTOR, Entry, NearQuestion, candidates_of
from x25.state.hits import KeptAnswer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEPT = KeptAnswer(
    {"role": "assistant", "content": "Paris \x00"}, "stop", None, {"prompt_tokens": 3}, "v/m", "v", "mid", True, "qa",
    "qa", 0.1, 0.9, {"score": 0.9}, 100,
)  # fmt: skip
EAST = np.array([1, 0], VECTOR).tobytes()
ENTRY = Entry(
    "acme", "k1", "c1", NOON, NOON + timedelta(hours=1), KEPT, 1_000, NearQuestion("ctx", "Where?", EAST, "e")
)
WIDE = {"most_org_bytes": 10**9, "most_bytes": 10**9}


async def test_what_is_kept_is_found_by_its_org_and_key_alone(store):
    table = store.cached_answers
    await table.keep(ENTRY, **WIDE)
    assert await table.get("acme", "k1") == replace(ENTRY, near=None)
    assert await table.get("acme-2", "k1") is None
    assert await table.get("acme", "k2") is None


async def test_what_is_kept_is_counted_with_its_bytes(store):
    table = store.cached_answers
    assert await table.size(None) == (0, 0)
    for number, org in enumerate(("acme", "acme", "beta")):
        await table.keep(replace(ENTRY, org=org, key=f"k{number}", call_id=f"c{number}"), **WIDE)
    assert await table.size("acme") == (2, 2_000)
    assert await table.size(None) == (3, 3_000)


async def test_a_key_has_its_newest_answer(store):
    table = store.cached_answers
    await table.keep(ENTRY, **WIDE)
    await table.keep(replace(ENTRY, call_id="c2"), **WIDE)
    assert (await table.get("acme", "k1")).call_id == "c2"


async def test_questions_of_one_org_context_encoder_and_time_are_candidates(store):
    table = store.cached_answers
    await table.keep(ENTRY, **WIDE)
    await table.keep(replace(ENTRY, key="k2", near=None), **WIDE)
    found = await table.near("acme", "ctx", "e", NOON)
    assert (found.keys, found.texts, found.vectors.tolist()) == (["k1"], ["Where?"], [[1.0, 0.0]])
    for other in (("acme-2", "ctx", "e", NOON), ("acme", "other", "e", NOON), ("acme", "ctx", "f", NOON),
                  ("acme", "ctx", "e", NOON + timedelta(seconds=1))):  # fmt: skip
        assert (await table.near(*other)).keys == []


def test_vectors_of_another_length_are_no_candidates():
    longer = np.ones(3, VECTOR).tobytes()
    assert candidates_of([("a", "x", EAST), ("b", "y", longer)]).keys == ["a"]
    assert candidates_of([]).vectors.shape == (0, 0)


async def test_the_oldest_go_where_an_org_or_all_pass_their_bound(store, monkeypatch):
    monkeypatch.setattr(module, "TRIMS_EVERY", 1)
    table = store.cached_answers
    for number in range(10):
        at = NOON + timedelta(seconds=number)
        await table.keep(
            replace(ENTRY, key=f"k{number}", created_at=at), most_org_bytes=5_000, most_bytes=10**9
        )
    kept = [number for number in range(10) if await table.get("acme", f"k{number}")]
    assert kept == [6, 7, 8, 9]
    later = replace(ENTRY, org="other", created_at=NOON + timedelta(minutes=1))
    await table.keep(later, most_org_bytes=10**9, most_bytes=3_000)
    assert [await table.get("acme", f"k{number}") is not None for number in (7, 8, 9)] == [False, False, True]
    assert await table.get("other", "k1")


async def test_what_has_expired_goes(store):
    table = store.cached_answers
    await table.keep(ENTRY, **WIDE)
    assert await table.drop_expired(NOON) == 0
    assert await table.drop_expired(NOON + timedelta(hours=2)) == 1


async def test_an_org_and_a_call_take_their_answers_with_them(store):
    table = store.cached_answers
    for org in ("acme", "other"):
        await table.keep(replace(ENTRY, org=org), **WIDE)
        await table.keep(replace(ENTRY, org=org, key="k2", call_id="c2"), **WIDE)
    assert await table.drop("acme", "c1") == 1
    assert await table.drop_all("acme") == 1
    assert await table.get("other", "k1")


@pytest.mark.parametrize("how", ["erased", "forgotten"])
async def test_erasing_a_call_or_what_is_old_erases_its_answers(store, how, make_call):
    await store.calls.record(make_call(), {"kind": "call"})
    assert await store.cached_answers.is_logged("acme", "c1")
    await store.cached_answers.keep(ENTRY, **WIDE)
    if how == "erased":
        assert await store.erasure.delete("acme", "c1")
        assert not await store.cached_answers.is_logged("acme", "c1")
    else:
        await store.erasure.forget("acme", NOON + timedelta(seconds=1))
    assert await store.cached_answers.get("acme", "k1") is None
