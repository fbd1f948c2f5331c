from dataclasses import replace

import pytest

from x25.routing.belief.completion import TIER_PRIOR
from x25.routing.belief.pass_rates import counted_posterior, pass_rate, rescue_rate, tier_sums
from x25.state.records import Evidence


def seen(model_id="m", **counts):
    return Evidence(model_id, "qa", **counts)


def test_people_see_a_prediction_worth_ten_observations_and_unbiased_evidence():
    shown = pass_rate("m", "slm", (30.0, 32.0, 40.0))
    assert (shown.alpha, shown.beta) == (pytest.approx(10 * 0.8 + 30), pytest.approx(10 * 0.2 + 10))
    assert pass_rate("m", "slm", (0.0, 0.0, 0.0)).confidence == pytest.approx(0.2)


@pytest.mark.parametrize("reward", [-40.0, 90.0])
def test_shown_counts_stay_above_zero_whatever_the_learning_weights_sum_to(reward):
    shown = pass_rate("m", "slm", (reward, 20.0, 40.0))
    assert min(shown.alpha, shown.beta) == 0.01
    assert 0.0 < shown.mean < 1.0


@pytest.mark.parametrize(("tier", "level"), TIER_PRIOR.items())
def test_a_tier_is_counted_from_its_usual_level_and_the_sum_of_its_arms(tier, level):
    assert counted_posterior(tier, tier, []).mean == pytest.approx(level)
    counted = counted_posterior(
        tier, tier, [seen("a", successes=7, failures=3), seen("b", successes=2, failures=1)]
    )
    assert (counted.alpha, counted.beta) == (
        pytest.approx(10 * level + 9),
        pytest.approx(10 * (1 - level) + 4),
    )


def test_counts_never_fall_whatever_was_forgotten_and_a_low_reward_never_raises_a_high_mean():
    forgotten = seen("a", successes=90, failures=10, drifts=2, weight=0.0)
    before, after = (
        counted_posterior("a", "mid", [replace(forgotten, successes=90 + r, failures=10 + (r and 1 - r))])
        for r in (0.0, 0.4)
    )
    assert (after.alpha - before.alpha, after.beta - before.beta) == (pytest.approx(0.4), pytest.approx(0.6))
    assert after.mean < before.mean


def test_the_sums_of_a_tier_are_those_of_its_arms():
    ten = {"reward_sum": 9.0, "predicted_sum": 7.0, "weight": 10.0}
    ten |= {"reward_total": 9.0, "predicted_total": 7.0, "weight_total": 10.0}
    assert tier_sums([]) == (0.0, 0.0, 0.0)
    assert tier_sums([seen("a", **ten), seen("b", **ten)]) == pytest.approx((18.0, 14.0, 20.0))


def test_the_rescue_rate_is_over_all_arms_and_absent_before_any_try():
    assert rescue_rate([seen("a")]) is None
    assert rescue_rate([seen("a", rescue_tries=3, rescues=1), seen("b", rescue_tries=1, rescues=1)]) == 0.5
