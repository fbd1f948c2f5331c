import math
from dataclasses import replace

import numpy as np
import pytest

from x25.routing.completion import TIER_PRIOR, logit, sigmoid
from x25.routing.thompson import (
    Learner,
    classic_draw,
    classic_posterior,
    draw,
    offset_posterior,
    shown_posterior,
    tier_posterior,
)
from x25.state.records import Arm, Evidence


def arm(model_id="m", *, p=0.7, tier="slm"):
    return Arm(model_id, "acme", tier, 100, 500.0, p, 0.1, 0.4, 100_000, 4_096)


def seen(model_id="m", **counts):
    return Evidence(model_id, "qa", **counts)


def test_without_evidence_the_belief_is_the_prediction():
    assert offset_posterior(0.7, None) == pytest.approx((0.7, 50.0))


def test_the_offset_follows_its_formula():
    mean, concentration = offset_posterior(0.7, seen(reward_sum=40, predicted_sum=60, weight=100))
    delta = logit((40 + 30 * 0.7) / 130) - logit((60 + 30 * 0.7) / 130)
    assert mean == pytest.approx(sigmoid(logit(0.7) + delta))
    assert concentration == 150.0


def test_the_offset_keeps_the_order_of_easy_and_hard_prompts():
    evidence = seen(reward_sum=100, predicted_sum=300, weight=400)
    easy, hard = (offset_posterior(p, evidence)[0] for p in (0.9, 0.4))
    assert easy < 0.9
    assert hard < 0.4
    assert easy > hard


def test_negative_reward_sums_of_unbiased_weights_are_evidence():
    assert offset_posterior(0.7, seen(reward_sum=-2.0, predicted_sum=6.0, weight=10.0))[0] < 0.7


def test_concentration_is_capped():
    evidence = seen(reward_sum=9e5, predicted_sum=9e5, weight=1e6)
    assert offset_posterior(0.9, evidence)[1] == Learner().kappa_max


@pytest.mark.parametrize(
    "damage",
    [
        {"reward_sum": math.nan},
        {"weight": math.inf},
        {"weight": -5.0},
        {"predicted_sum": -1.0},
        {"predicted_sum": 1e300},
        {"reward_sum": 1e300},
        {"weight": 1e300},
    ],
)
def test_impossible_sums_count_as_no_evidence(damage):
    evidence = replace(seen(reward_sum=5, predicted_sum=5, weight=10), **damage)
    assert offset_posterior(0.7, evidence) == offset_posterior(0.7, None)
    assert np.isfinite(draw([arm()], {"m": evidence}, np.random.default_rng(0), 8)).all()


@pytest.mark.parametrize("damage", [{"successes": math.nan}, {"failures": -1.0}, {"failures": 1e300}])
def test_impossible_counts_count_as_no_evidence(damage):
    evidence = replace(seen(successes=3, failures=4), **damage)
    assert classic_posterior(arm(), evidence) == classic_posterior(arm(), None)


def test_draws_have_a_row_a_draw_and_a_column_an_arm():
    thetas = draw([arm("a"), arm("b", p=0.2)], {}, np.random.default_rng(1), 5_000)
    assert thetas.shape == (5_000, 2)
    assert thetas.mean(axis=0) == pytest.approx([0.7, 0.2], abs=0.01)
    assert thetas[:, 0].var() == pytest.approx(0.7 * 0.3 / 51, rel=0.1)


def test_the_same_generator_reproduces_the_draws():
    first, again = (draw([arm()], {}, np.random.default_rng(7), 16) for _ in range(2))
    assert (first == again).all()


def test_a_reward_adds_itself_to_alpha_and_its_rest_to_beta():
    prior = classic_posterior(arm(p=0.6), None)
    assert (prior.alpha, prior.beta) == (pytest.approx(1.2), pytest.approx(0.8))
    after = classic_posterior(arm(p=0.6), seen(successes=0.25, failures=0.75))
    assert after.alpha == prior.alpha + 0.25
    assert after.beta == prior.beta + 0.75


def probability_first_is_best(a, b, c, d):
    """P(X > Y), X ~ Beta(a, b), Y ~ Beta(c, d), for whole a: Cook (2005), by the finite sum over a."""

    def log_beta(x, y):
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    terms = (
        math.exp(log_beta(c + i, b + d) - math.log(b + i) - log_beta(1 + i, b) - log_beta(c, d))
        for i in range(a)
    )
    return sum(terms)


def test_the_better_arm_is_drawn_best_as_often_as_the_mathematics_say():
    arms = [arm("a", p=0.5), arm("b", p=0.5)]
    evidence = {"a": seen("a", successes=7, failures=3), "b": seen("b", successes=5, failures=4)}
    expected = probability_first_is_best(8, 4, 6, 5)
    draws_a_seed, seeds = 500, 200
    wins = [
        (thetas[:, 0] > thetas[:, 1]).mean()
        for thetas in (
            classic_draw(arms, evidence, np.random.default_rng(s), draws_a_seed) for s in range(seeds)
        )
    ]
    standard_error = math.sqrt(expected * (1 - expected) / (draws_a_seed * seeds))
    assert 0.6 < expected < 0.9
    assert abs(np.mean(wins) - expected) < 3 * standard_error


def test_people_see_a_prior_of_ten_observations():
    shown = shown_posterior(arm(p=0.6), seen(successes=4, failures=1))
    assert (shown.prior_alpha, shown.prior_beta) == (pytest.approx(6.0), pytest.approx(4.0))
    assert (shown.successes, shown.failures) == (4, 1)
    assert shown_posterior(arm(), None).confidence == pytest.approx(0.2)


@pytest.mark.parametrize(("tier", "level"), TIER_PRIOR.items())
def test_a_tier_is_shown_from_its_usual_level(tier, level):
    assert tier_posterior(tier, 0.0, 0.0).mean == pytest.approx(level)
    assert tier_posterior(tier, 3.0, 2.0).alpha == pytest.approx(10 * level + 3)
