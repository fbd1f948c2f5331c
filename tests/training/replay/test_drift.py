import json

import numpy as np
import pytest

from x25.training.replay.drift import (
    LEARNERS,
    SCENARIOS,
    calls_to_come_back,
    first_where,
    interval,
    measure_drift,
    stable_after,
    trailing,
    world_of,
)
from x25.training.replay.regret import Setting
from x25.training.replay.streams import Replayed

pytestmark = pytest.mark.slow


@pytest.fixture
def long(long_side):
    return Replayed(long_side, long_side, 0)


def test_the_middle_third_differs_and_the_rest_does_not():
    world = world_of(SCENARIOS["frontier-worse"], 300, 3)
    assert (world.reward_factor[100:200, 2] < 1.0).all()
    assert (world.reward_factor[:100] == 1.0).all()
    assert (world.reward_factor[200:] == 1.0).all()
    assert (world.reward_factor[:, :2] == 1.0).all()


def test_a_new_arm_comes_and_stays():
    world = world_of(SCENARIOS["new-model"], 300, 4)
    assert not world.is_there[:100, 3].any()
    assert world.is_there[100:, 3].all()
    assert world.is_there[:, :3].all()


def test_a_worse_frontier_is_left_sooner_with_a_detector(long):
    found = measure_drift(long, None, ["frontier-worse"], Setting(orders=6))["frontier-worse"]
    with_detector, without = found["x25"], found["x25, no detector"]
    assert with_detector["median_alarm_step"] < 80
    assert with_detector["phase_shares"][1] < without["phase_shares"][1] - 0.1
    assert with_detector["phase_rewards"][1] > without["phase_rewards"][1]
    assert with_detector["orders_alarmed"] == 1.0
    assert with_detector["false_alarms_before"] == 0


def test_a_repaired_frontier_has_its_share_back_within_150_calls(long):
    found = measure_drift(long, None, ["frontier-worse"], Setting(orders=8))["frontier-worse"]
    served, forgetful = found["x25"], found["x25, no return"]
    assert served["calls_to_come_back"] <= 150
    assert served["orders_that_came_back"] == 1.0
    assert served["phase_shares"][2] > forgetful["phase_shares"][2]


def test_returning_costs_nothing_where_nothing_changes(long):
    found = measure_drift(long, None, ["steady"], Setting(orders=8))["steady"]
    low, high = found["x25"]["regret_of_return_ci95"]
    assert low <= 0.0 <= high
    assert found["x25"]["regret"] < found["x25-classic"]["regret"]


def test_calls_are_counted_from_the_repair_and_never_is_infinite():
    before, away, back = [True] * 60, [False] * 60, [True] * 60
    asked = np.array([before + away + back, before + away + away])
    assert calls_to_come_back(asked, 120).tolist() == [14.0, np.inf]  # 70 % of a window of twenty


def test_an_interval_holds_its_value_and_what_is_infinite_is_none():
    found = interval("calls", np.array([1.0, 2.0, 3.0, np.inf, np.inf]), np.median)
    assert found["calls"] == 3.0
    assert found["calls_ci95"] == [1.0, None]


def test_a_price_cut_is_used_within_its_phase(long):
    found = measure_drift(long, None, ["price-cut"], Setting(orders=4))["price-cut"]
    assert found["x25"]["phase_shares"][1] > found["x25"]["phase_shares"][0] + 0.3


def test_a_scenario_without_its_new_arm_is_left_out(long):
    assert measure_drift(long, None, ["new-model"], Setting(orders=1)) == {}


def test_what_is_found_is_json(long):
    found = measure_drift(long, long, ["new-model", "mid-worse"], Setting(orders=2))
    assert set(found["new-model"]) == set(LEARNERS)
    assert json.loads(json.dumps(found)) == found


def test_a_trailing_mean_looks_back_only():
    assert trailing(np.array([1.0, 0.0, 0.0, 4.0]), 2).tolist() == [1.0, 0.5, 0.0, 2.0]


def test_steps_are_counted_from_one():
    assert first_where(np.array([False, False, True])) == 3
    assert first_where(np.array([False])) is None


def test_a_share_is_stable_from_where_it_stays_near_its_end():
    assert stable_after(np.array([0.0] * 40 + [0.5] * 200)) == 41
