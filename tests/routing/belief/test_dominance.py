import pytest

from x25.routing.belief.dominance import dominated, prob_above
from x25.state.records import Evidence, Posterior

PRICES = {"small": 1.0, "middle": 4.0, "large": 20.0}


def seen(model_id, rate, n=200.0, tier="slm"):
    sums = {"reward_total": rate * n, "predicted_total": 0.7 * n, "weight_total": n}
    return Evidence(model_id, "*", tier, 0, 0, rate * n, 0.7 * n, n, **sums)


def test_a_dearer_arm_that_is_no_better_is_reported_against_the_best_cheaper_one():
    (found,) = dominated(
        [seen("small", 0.6), seen("middle", 0.9), seen("large", 0.8, tier="frontier")], PRICES
    )
    assert (found.model_id, found.tier, found.better_model_id) == ("large", "frontier", "middle")
    assert found.pass_rate == pytest.approx((7 + 160) / 210, abs=1e-3)
    assert found.better_pass_rate == pytest.approx((7 + 180) / 210, abs=1e-3)
    assert (found.observations, found.better_observations, found.times_dearer) == (200.0, 200.0, 5.0)
    assert 0.0 < found.prob_better < 0.01


def test_equal_arms_are_worth_the_cheaper_price():
    (found,) = dominated([seen("small", 0.8), seen("large", 0.8)], PRICES)
    assert found.prob_better == pytest.approx(0.5)


def test_a_better_dearer_arm_is_not_reported_nor_one_that_is_hardly_known():
    assert dominated([seen("small", 0.6), seen("large", 0.7)], PRICES) == []
    assert dominated([seen("small", 0.9), seen("large", 0.1, n=20.0)], PRICES) == []
    assert dominated([seen("small", 0.9, n=20.0), seen("large", 0.1)], PRICES) == []


def test_arms_without_a_price_are_left_out_and_free_ones_compared():
    assert dominated([seen("gone", 0.9), seen("large", 0.1)], PRICES) == []
    (found,) = dominated([seen("small", 0.9), seen("large", 0.1)], PRICES | {"small": 0.0})
    assert found.times_dearer is None


def test_the_probability_of_being_above_is_even_for_equals_and_sums_to_one():
    one, other = Posterior("a", "slm", 60, 40), Posterior("b", "slm", 50, 50)
    assert prob_above(one, one) == pytest.approx(0.5)
    assert prob_above(one, other) + prob_above(other, one) == pytest.approx(1.0)
    assert prob_above(one, other) == pytest.approx(0.923, abs=0.01)
