from dataclasses import replace

import numpy as np
import pytest

from x25.graph.estimators import load_difficulty
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.likelihood import CAUGHT_SHARE, FALSE_ALARM_SHARE
from x25.training.org.calls import Known, likelihoods, read_calls, start_level

DIFFICULTY = load_difficulty()
HEAD = DIFFICULTY.head


@pytest.fixture(scope="module")
def log(org_log):
    return org_log(count=60)


def read(log, **options):
    return read_calls(log, DIFFICULTY, Known(**options))


def changed(call, **decision):
    return replace(call, decision={**call.decision, **decision})


def test_only_first_answers_with_a_usable_vector_are_read(log):
    bad = np.full(len(HEAD.coef), np.nan).astype("<f2").tobytes()
    odd = [
        replace(log[0], inputs=None), replace(log[1], inputs=b"\0" * 10), changed(log[2], inputs_id="other"),
        changed(log[3], first_verdict=None), replace(log[4], inputs=bad),
    ]  # fmt: skip
    found = read([*odd, *log[5:20]])
    assert len(found.seen) == found.labelled == 15
    assert found.skipped == {
        "no vector kept": 1, "vector of another encoder": 2, "first model did not answer": 1, "damaged vector": 1,
    }  # fmt: skip


def test_what_was_seen_is_weighed_by_who_looked():
    right, wrong = 1.0 - FALSE_ALARM_SHARE, 1.0 - CAUGHT_SHARE
    judged = {"source": "judge", "bin": 4}
    assert likelihoods(judged, DEFAULT_TABLE) == (
        right * DEFAULT_TABLE.right[4],
        wrong * DEFAULT_TABLE.wrong[4],
    )
    assert likelihoods({"source": "checks", "bin": None}, DEFAULT_TABLE) == (FALSE_ALARM_SHARE, CAUGHT_SHARE)
    assert likelihoods({"source": "estimate", "bin": None}, DEFAULT_TABLE) == (right, wrong)
    assert likelihoods({"source": "judge", "bin": 77}, DEFAULT_TABLE) == (right, wrong)
    assert likelihoods(judged, DEFAULT_TABLE, label=(0.0, 1.0)) == (0.0, 1.0)


def test_a_failed_check_was_looked_at_and_an_estimate_was_not(log):
    failed = {"source": "checks", "outcome": "failed_check", "bin": None, "score": 0.0}
    unseen = {"source": "estimate", "outcome": "unseen", "bin": None, "score": 0.8}
    found = read([changed(log[0], first_verdict=failed), changed(log[1], first_verdict=unseen), log[2]])
    assert (len(found.seen), found.labelled) == (3, 2)


def test_a_label_counts_instead_of_the_judge(log):
    found = read(log[:3], labels={"c0": (1.0, 1.0), "c1": (0.25, 1.0)})
    assert list(zip(found.seen.right[:2], found.seen.wrong[:2], strict=True)) == [(1.0, 0.0), (0.25, 0.75)]
    assert found.seen.wrong[2] > 0.0


def test_a_label_believed_in_part_is_weighed_with_what_was_seen(log):
    seen, said = read(log[:1]), read(log[:1], labels={"c0": (0.0, 0.5)})
    assert said.seen.right[0] == pytest.approx(0.25 * seen.seen.right[0])
    assert said.seen.wrong[0] == pytest.approx(0.75 * seen.seen.wrong[0])


def test_remembered_context_lowers_the_difficulty_below_the_frontier_alone(log):
    plain, remembered = read(log[:40]), read([changed(call, memory_hit=True) for call in log[:40]])
    lowered = plain.seen.bundled - remembered.seen.bundled
    small = plain.seen.model == plain.seen.models.index("v/small")
    assert lowered[small] == pytest.approx(1.0)
    assert (lowered[~small] == 0.0).all()


def test_a_prompt_asked_twice_stands_on_one_side(log):
    found = read([*log[:50], *(replace(call, call_id=f"again-{call.call_id}") for call in log[:50])])
    assert (found.held_out[:50] == found.held_out[50:]).all()
    assert 0 < found.held_out.sum() < 40


def test_a_judge_the_org_has_measured_is_read_by_its_own_table(log):
    sharp = replace(DEFAULT_TABLE, right=(0.01, 0.01, 0.01, 0.01, 0.96), wrong=(0.96, 0.01, 0.01, 0.01, 0.01))
    call = changed(
        log[0], first_verdict={"source": "judge", "bin": 4, "score": 0.9, "judge_model": "v/judge"}
    )
    plain, measured = read([call]), read([call], judge_tables={"v/judge": sharp})
    assert measured.seen.right[0] / measured.seen.wrong[0] > 5 * plain.seen.right[0] / plain.seen.wrong[0]


def test_an_unknown_model_starts_at_its_tiers_level():
    assert start_level(None, "slm") < start_level(None, "mid") < start_level(None, "frontier")
