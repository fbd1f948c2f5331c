import json

import numpy as np
import pytest

from x25.training.replay.drift import (
    LEARNERS,
    SCENARIOS,
    first_where,
    measure_drift,
    stable_after,
    trailing,
    world_of,
)
from x25.training.replay.regret import Setting
from x25.training.replay.streams import Replayed


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
    assert with_detector["detection_steps"] < 80
    assert with_detector["phase_rewards"][1] > without["phase_rewards"][1]
    assert with_detector["orders_alarmed"] == 1.0
    assert with_detector["false_alarms_before"] == 0


def test_an_arm_comes_back_where_evidence_fades_when_read(long):
    found = measure_drift(long, None, ["frontier-worse"], Setting(orders=6))["frontier-worse"]
    assert found["x25, fading"]["phase_shares"][2] >= found["x25"]["phase_shares"][2]


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
