from dataclasses import replace

import pytest

from x25.state.learning.judge_tables import JudgeCounts
from x25.state.logged_arms import LoggedArm
from x25.training.off_policy.log import read_log

ARMS = [
    LoggedArm("v/small", "slm", 0.75, 0.7, 0.6, 40.0, 1_000, 1_000.0, 1.0),
    LoggedArm("v/large", "frontier", 0.25, 0.9, 0.9, 40.0, 100_000, 1_000.0, 1.0),
]


def with_arms(call, arms):
    return replace(call, decision=call.decision | {"arms": arms})


def test_a_call_is_read_with_its_arms_cost_and_terms(logged_call):
    log = read_log([logged_call(0, ARMS, 1, judge_cost_nusd=500)], {})
    (call,) = log.calls
    assert (call.asked, call.cost_nusd, call.propensities.tolist()) == (1, 100_500.0, [0.75, 0.25])
    assert call.terms["judge"] == "v/judge"


@pytest.mark.parametrize(
    ("arms", "reason"),
    [
        (None, "logged without a probability for each model"),
        ({}, "logged without a probability for each model"),
        ({"v/small": [0]}, "damaged decision"),
        ({"v/large": ARMS[1].to_row()}, "asked a model it had no probability for"),
        ({"v/small": [0, 0.4, 0.7, 0.6, 40, 1, 1, 1.0]}, "probabilities do not sum to one"),
    ],
)
def test_a_call_that_cannot_be_weighed_is_counted_with_the_reason(logged_call, arms, reason):
    log = read_log([with_arms(logged_call(0, ARMS, 0), arms)], {})
    assert (len(log), log.skipped) == (0, {reason: 1})


def test_one_task_type_is_read_alone(logged_call):
    calls = [logged_call(0, ARMS, 0), logged_call(1, ARMS, 0, task_type="code")]
    assert len(read_log(calls, {}, task_type="code")) == 1


def test_the_labels_of_a_judge_are_told():
    counts = {"v/judge": JudgeCounts((1.0, 0, 0, 0, 8.0), (3.0, 0, 0, 0, 0))}
    assert read_log([], counts).judge_labels == {"v/judge": 12.0}
