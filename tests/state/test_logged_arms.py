import json
import math

import pytest

from x25.state.logged_arms import CERTAIN, LoggedArm, logged_arms

ARM = LoggedArm("v/m", "mid", 0.25, 0.712, 0.654, 123.0, 27_000, 850.0, 0.875)


def test_an_arm_is_written_short_and_read_back():
    row = json.loads(json.dumps(ARM.to_row()))
    assert row == [1, 0.25, 0.712, 0.654, 123, 27000, 850, 0.875]
    assert LoggedArm.from_row("v/m", row) == ARM


def test_a_belief_without_doubt_is_written_as_a_number():
    sure = LoggedArm("v/m", "slm", 1.0, 0.7, 0.7, math.inf, 1, 1.0, 1.0)
    assert LoggedArm.from_row("v/m", json.loads(json.dumps(sure.to_row()))).strength == CERTAIN


@pytest.mark.parametrize(
    "row",
    [
        None, [], [1, 0.5], [9, 0.25, 0.7, 0.6, 10.0, 1, 1, 1.0], [1, 1.5, 0.7, 0.6, 10.0, 1, 1, 1.0],
        [1, math.nan, 0.7, 0.6, 10.0, 1, 1, 1.0], [1, 0.2, 0.7, 0.6, math.inf, 1, 1, 1.0], "text",
        [1, 0.25, 0.7, 0.6, 10.0, -1, 1, 1.0],
    ],
)  # fmt: skip
def test_a_damaged_row_is_refused(row):
    with pytest.raises(ValueError, match="logged values of an arm"):
        LoggedArm.from_row("v/m", row)


def test_a_decision_logged_before_arms_were_kept_has_none():
    assert logged_arms({"model_id": "v/m"}) == ()
    assert logged_arms({"arms": {"v/m": ARM.to_row()}}) == (ARM,)


def test_as_an_arm_it_has_the_predictions_and_prices_of_its_call():
    arm = ARM.as_arm()
    assert (arm.model_id, arm.tier, arm.expected_cost_nusd, arm.completion_prob, arm.availability) == (
        "v/m", "mid", 27_000, 0.712, 0.875,
    )  # fmt: skip
