import json

import pytest

from x25.routing.answer.checks import CheckReport
from x25.routing.answer.verdict import from_checks, from_judge, judge_failed, unjudged
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable

PASSED = CheckReport(("not_empty", "not_cut_off"))
FAILED = CheckReport(("not_empty",), failed="not_empty", reason="the answer has neither text nor tool calls")
WEAK = JudgeTable("weak", (0.2, 0.4, 0.6, 0.8), (0.18, 0.2, 0.2, 0.2, 0.22), (0.22, 0.2, 0.2, 0.2, 0.18))


def judged(score, table=DEFAULT_TABLE):
    return from_judge(
        score, "fine", report=PASSED, theta=0.7, table=table, judge_model="acme/judge", judge_cost_nusd=12
    )


def test_a_failed_check_scores_zero_in_the_lowest_bin():
    verdict = from_checks(FAILED, 0.7)
    assert (verdict.score, verdict.bin, verdict.source) == (0.0, 0, "checks")
    assert verdict.failed_check == "not_empty"
    assert verdict.posterior == pytest.approx(0.7 * 0.005 / (0.7 * 0.005 + 0.3 * 0.14))


def test_a_failed_check_weighs_more_than_the_worst_score_of_a_judge():
    assert from_checks(FAILED, 0.7).posterior < judged(0.0).posterior


def test_a_report_without_failure_is_no_failed_check():
    with pytest.raises(ValueError, match="needs a report with a failed check"):
        from_checks(PASSED, 0.7)


def test_a_judges_score_moves_the_belief_by_its_table():
    verdict = judged(0.9)
    assert (verdict.score, verdict.bin, verdict.source) == (0.9, 4, "judge")
    assert verdict.posterior == DEFAULT_TABLE.posterior(0.7, 4)
    assert (verdict.judge_model, verdict.judge_cost_nusd) == ("acme/judge", 12)
    assert judged(0.1).posterior < 0.7 < judged(0.5).posterior


def test_an_untrusted_judge_leaves_the_belief_alone():
    assert judged(0.0, WEAK).posterior == 0.7


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_outside_zero_to_one_is_refused(score):
    with pytest.raises(ValueError, match="score must be between 0 and 1"):
        judged(score)


def test_an_unjudged_answer_is_an_estimate_a_little_above_the_draw():
    verdict = unjudged(PASSED, 0.7)
    assert verdict.source == "estimate"
    assert verdict.score == verdict.posterior == pytest.approx(0.7 / (0.7 + 0.3 * 0.86))
    assert verdict.bin is None


def test_a_judge_that_failed_gives_no_score_and_teaches_nothing():
    verdict = judge_failed(PASSED, "the judge's answer was not JSON", 0.7, judge_cost_nusd=5)
    assert (verdict.score, verdict.bin, verdict.source) == (None, None, "none")
    assert verdict.judge_cost_nusd == 5
    assert verdict.posterior == unjudged(PASSED, 0.7).posterior


@pytest.mark.parametrize("verdict", [from_checks(FAILED, 0.5), judged(0.5), unjudged(PASSED, 0.5)])
def test_a_verdict_survives_json(verdict):
    assert json.loads(json.dumps(verdict.to_json())) == verdict.to_json()
    assert verdict.to_json()["checks_made"] == list(verdict.checks_made)
