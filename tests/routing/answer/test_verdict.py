import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x25.routing.answer.checks import CheckReport
from x25.routing.answer.verdict import Judgement, verdict_of
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.likelihood import CAUGHT_SHARE, FALSE_ALARM_SHARE, PASSED_CHECKS, posterior
from x25.state.answers import Belief
from x25.state.observations import Observation

PASSED = CheckReport(("not_empty", "not_cut_off"))
FAILED = CheckReport(("not_empty",), failed="not_empty", reason="the answer has neither text nor tool calls")
BEFORE = Belief(mean=0.7, theta=0.6)
UNSEEN = Observation("unseen", None, None, None, seen_prob=0.3, is_due=False)
EMPTY = Observation("failed_check", None, 0.0, None, seen_prob=0.3, is_due=True)


def scored(score):
    score_bin = DEFAULT_TABLE.bin_of(score)
    return Observation("scored", score_bin, score, "acme/judge", seen_prob=0.3, is_due=True)


def judged(score, table=DEFAULT_TABLE, before=BEFORE):
    return verdict_of(PASSED, scored(score), before, table, Judgement("fine", 12))


def test_a_failed_check_scores_zero_and_lowers_belief_by_the_shares_that_fail_one():
    verdict = verdict_of(FAILED, EMPTY, BEFORE)
    assert (verdict.score, verdict.source, verdict.failed_check) == (0.0, "checks", "not_empty")
    assert verdict.reason == FAILED.reason
    for before, after in zip((0.7, 0.6), (verdict.belief.mean, verdict.belief.theta), strict=True):
        right, wrong = before * FALSE_ALARM_SHARE, (1 - before) * CAUGHT_SHARE
        assert after == pytest.approx(right / (right + wrong))


def test_a_failed_check_weighs_more_than_the_worst_score_of_a_judge():
    assert verdict_of(FAILED, EMPTY, BEFORE).belief.mean < judged(0.0).belief.mean


def test_a_judges_score_moves_mean_and_draw_by_its_table():
    verdict = judged(0.9)
    assert (verdict.score, verdict.source, verdict.observation.bin) == (0.9, "judge", 4)
    for before, after in zip((0.7, 0.6), (verdict.belief.mean, verdict.belief.theta), strict=True):
        right = before * (1 - FALSE_ALARM_SHARE) * DEFAULT_TABLE.right[4]
        wrong = (1 - before) * (1 - CAUGHT_SHARE) * DEFAULT_TABLE.wrong[4]
        assert after == pytest.approx(right / (right + wrong))
    assert (verdict.reason, verdict.judge_cost_nusd) == ("fine", 12)
    assert (verdict.failed_check, verdict.checks_made) == (None, PASSED.made)
    assert judged(0.1).belief.mean < 0.7 < judged(0.5).belief.mean


def test_a_score_that_carries_nothing_leaves_the_belief_where_the_checks_put_it():
    verdict = judged(0.0, table=None)
    assert verdict.belief == verdict_of(PASSED, UNSEEN, BEFORE).belief
    assert (verdict.score, verdict.source) == (0.0, "judge")


def test_an_unjudged_answer_is_an_estimate_a_little_above_what_was_believed():
    verdict = verdict_of(PASSED, UNSEEN, BEFORE)
    assert (verdict.source, verdict.observation.bin, verdict.judge_cost_nusd) == ("estimate", None, 0)
    assert verdict.score == verdict.belief.mean == pytest.approx(posterior(0.7, PASSED_CHECKS))
    assert verdict.belief.theta == pytest.approx(posterior(0.6, PASSED_CHECKS))


def test_a_judge_that_failed_gives_no_score():
    silent = Judgement("malformed: the judge's answer was not JSON", 5, is_failure=True)
    verdict = verdict_of(PASSED, UNSEEN, BEFORE, judgement=silent)
    assert (verdict.score, verdict.source) == (None, "none")
    assert (verdict.reason, verdict.judge_cost_nusd) == (silent.reason, 5)
    assert verdict.belief == verdict_of(PASSED, UNSEEN, BEFORE).belief


@given(prob=st.floats(0.0, 1.0), score=st.floats(0.0, 1.0))
@settings(deadline=None, derandomize=True)
def test_belief_stays_a_probability_and_moves_the_way_of_what_was_seen(prob, score):
    before = Belief(prob, prob)
    failed, passed = verdict_of(FAILED, EMPTY, before).belief, verdict_of(PASSED, UNSEEN, before).belief
    assert 0.0 <= failed.mean <= prob <= passed.mean <= 1.0
    assert 0.0 <= judged(score, before=before).belief.mean <= 1.0


def test_what_was_seen_is_kept_as_it_was():
    for report, seen in ((PASSED, UNSEEN), (FAILED, EMPTY), (PASSED, scored(0.5))):
        assert verdict_of(report, seen, BEFORE).observation is seen
