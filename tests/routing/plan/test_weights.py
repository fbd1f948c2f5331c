import math
from itertools import pairwise

import pytest

from x25.routing.plan.weights import (
    DEFAULT_WEIGHTS,
    PRESETS,
    goal_match,
    latency_price,
    normalise,
    quality_price,
)
from x25.state.errors import InvalidRequest


def test_weights_sum_to_one_and_missing_goals_weigh_nothing():
    assert normalise({"cost": 3, "quality": 1}) == {"cost": 0.75, "quality": 0.25, "latency": 0.0}


@pytest.mark.parametrize(
    "weights",
    [
        {"cost": 1e308, "quality": 1, "latency": 1e308},
        {"cost": 1e-308, "quality": 1e308},
        {"cost": 1e308, "quality": 5e-324},
        {"quality": 5e-324},
    ],
    ids=str,
)
def test_weights_of_any_size_have_prices(weights):
    normal = normalise(weights)
    assert 0.005 <= quality_price(normal) <= 20.0
    assert 0.0 <= latency_price(normal) <= 20.0


def test_no_weights_mean_balanced():
    assert normalise(None) == pytest.approx(DEFAULT_WEIGHTS)


def test_huge_weights_stay_finite():
    assert normalise({"cost": 1e308, "quality": 1e308, "latency": 1e308})["cost"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("weights", "field"),
    [
        ({"cost": -1}, "optimize_for.cost"),
        ({"cost": math.nan}, "optimize_for.cost"),
        ({"quality": math.inf}, "optimize_for.quality"),
        ({"quality": True}, "optimize_for.quality"),
        ({"latency": "1"}, "optimize_for.latency"),
        ({"speed": 1}, "optimize_for.speed"),
        ({"cost": 0, "quality": 0}, "optimize_for"),
        ({}, "optimize_for"),
        ([1, 2], "optimize_for"),
    ],
)
def test_wrong_weights_are_refused_by_name(weights, field):
    with pytest.raises(InvalidRequest) as caught:
        normalise(weights)
    assert caught.value.field == field


def test_balanced_weights_give_the_middle_prices():
    weights = normalise(None)
    assert quality_price(weights) == pytest.approx(0.07)
    assert quality_price(weights, has_bar=True) == pytest.approx(0.10)
    assert latency_price(weights) == pytest.approx(0.03)


def test_presets_order_the_price_of_quality():
    prices = {name: quality_price(normalise(weights)) for name, weights in PRESETS.items()}
    assert prices["quality-first"] < prices["balanced"] < prices["cost-first"]
    assert prices["quality-first"] == pytest.approx(0.02, abs=0.01)
    assert prices["cost-first"] == pytest.approx(0.30, abs=0.03)
    assert latency_price(normalise(PRESETS["latency-first"])) > latency_price(normalise(None))


def test_a_dial_turned_to_cost_never_lowers_the_price_of_quality():
    dials = [normalise({"cost": share / 50, "quality": 1 - share / 50}) for share in range(1, 50)]
    prices = [quality_price(weights) for weights in dials]
    assert prices == sorted(prices)
    assert max(after / before for before, after in pairwise(prices)) < 3.0  # and never leaps


def test_prices_stay_in_range_at_the_corners():
    assert quality_price(normalise({"cost": 1})) == 20.0
    assert quality_price(normalise({"quality": 1})) == 0.005
    assert quality_price(normalise({"latency": 1})) == 0.005
    assert latency_price(normalise({"latency": 1})) == 20.0
    assert latency_price(normalise({"quality": 1})) == 0.0


def test_goal_match_compares_with_the_reference():
    match = goal_match(
        paid_nusd=250, reference_cost_nusd=1000, quality=0.9, latency_ms=500.0, reference_latency_ms=1000.0
    )
    assert match == {"cost": 0.75, "quality": 0.9, "latency": 0.75}


def test_goal_match_stays_between_zero_and_one():
    dear = goal_match(
        paid_nusd=5000, reference_cost_nusd=1000, quality=0.0, latency_ms=9e9, reference_latency_ms=1.0
    )
    assert dear == {"cost": 0.0, "quality": 0.0, "latency": 0.0}


def test_of_a_free_reference_only_a_free_call_matches():
    free = {"reference_cost_nusd": 0, "quality": 1.0, "latency_ms": 0.0, "reference_latency_ms": 1.0}
    assert goal_match(paid_nusd=0, **free)["cost"] == 1.0
    assert goal_match(paid_nusd=1, **free)["cost"] == 0.0
