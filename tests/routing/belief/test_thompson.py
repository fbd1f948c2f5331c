import math
from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.thompson import (
    DEFAULT_LEARNER,
    UNJUDGED_LEARNER,
    Learner,
    classic_draw,
    classic_posterior,
    combine,
    combined,
    draw,
    long_run,
    offset_posterior,
    prediction_strength,
)
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.decide import select
from x25.routing.plan.terms import Terms
from x25.routing.prompt.logistic import logit, sigmoid
from x25.state.records import Arm, Evidence


def arm(model_id="m", *, p=0.7, tier="slm"):
    return Arm(model_id, "acme", tier, 100, 500.0, p, 0.1, 0.4, 100_000, 4_096)


def seen(model_id="m", **counts):
    return Evidence(model_id, "qa", **counts)


def test_without_evidence_the_belief_is_the_prediction():
    assert offset_posterior(0.7, None) == pytest.approx((0.7, 30.0))


def test_the_offset_follows_its_formula():
    mean, concentration = offset_posterior(0.7, seen(reward_sum=40, predicted_sum=60, weight=100))
    delta = logit((40 + 30 * 0.7) / 130) - logit((60 + 30 * 0.7) / 130)
    assert mean == pytest.approx(sigmoid(logit(0.7) + delta))
    assert concentration == 130.0


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
    assert thetas[:, 0].var() == pytest.approx(0.7 * 0.3 / 31, rel=0.1)


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


def test_a_tier_is_chosen_as_often_as_the_mathematics_say_by_one_draw_an_arm_and_argmax():
    arms = [arm("a", p=0.5), arm("b", p=0.5, tier="mid")]
    evidence = {"a": seen("a", successes=7, failures=3), "b": seen("b", successes=5, failures=4)}
    expected, calls, rng = probability_first_is_best(8, 4, 6, 5), 4_000, np.random.default_rng(25)
    terms = Terms("classic", PlanPrices(), 1, 1.0, DEFAULT_TABLE, epsilon=0.0)
    chosen = [select(arms, evidence, terms, rng, draws=1)[0].model_id for _ in range(calls)]
    standard_error = math.sqrt(expected * (1 - expected) / calls)
    assert abs(chosen.count("a") / calls - expected) < 3 * standard_error
    rng = np.random.default_rng(25)
    assert [select(arms, evidence, terms, rng, draws=1)[0].model_id for _ in range(50)] == chosen[:50]


def whole(model_id="m", n=100, *, rate=0.9, p=0.5, kept=1.0, **more):
    """Evidence of n observations, of which a share is not forgotten."""
    sums = {"reward": rate * n, "predicted": p * n, "weight": float(n)}
    totals = {f"{name}_total": value for name, value in sums.items()}
    recent = {name if name == "weight" else f"{name}_sum": value * kept for name, value in sums.items()}
    return seen(model_id, **totals, **recent, **more)


def test_nothing_forgotten_means_the_cell_as_it_is():
    assert combined(whole(n=500), whole(n=500)) == pytest.approx((450.0, 250.0, 500.0))
    assert prediction_strength(combine({"m": whole(n=500)}, {"m": whole(n=500)})["m"]) == 30.0


def test_forgetting_fades_to_what_the_org_knew_and_not_to_the_prediction():
    faded = whole(n=1_000, rate=0.9, kept=0.0)
    evidence = combine({"m": faded}, {"m": faded})["m"]
    assert offset_posterior(0.5, None)[0] == pytest.approx(0.5)
    assert offset_posterior(0.5, evidence)[0] == pytest.approx(0.9, abs=0.02)
    assert evidence.weight + prediction_strength(evidence) == pytest.approx(Learner().remembered)


def test_recent_evidence_outweighs_the_past():
    recent = {"reward_sum": 20.0, "predicted_sum": 100.0, "weight": 200.0}
    changed = replace(whole(n=1_000, rate=0.9), **recent)
    assert offset_posterior(0.5, combine({"m": changed}, {"m": changed})["m"])[0] < 0.35


def test_a_new_cell_starts_from_the_arms_other_cells_at_no_more_than_thirty_observations():
    evidence = combine({}, {"m": whole(n=1_000, rate=0.9)})["m"]
    assert evidence.weight == pytest.approx(30 * 100 / 130)
    assert prediction_strength(evidence) == pytest.approx(30 * 30 / 130)
    assert 0.75 < offset_posterior(0.5, evidence)[0] < 0.85


def test_a_cell_that_knows_enough_borrows_nothing():
    cell, pool = whole(n=120, rate=0.2), whole(n=1_000, rate=0.9)
    assert combined(cell, pool) == pytest.approx((24.0, 60.0, 120.0))


def test_no_observation_counts_twice():
    cell = whole(n=10)
    assert combined(cell, cell) == pytest.approx((9.0, 5.0, 10.0))


@pytest.mark.parametrize("name", ["reward_total", "predicted_total", "weight_total", "weight", "reward_sum"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1e300, 1e300])
def test_impossible_sums_anywhere_leave_a_belief_between_zero_and_one(name, value):
    good, bad = whole(n=50), replace(whole(n=50), **{name: value})
    for cell, pool in ((bad, good), (good, bad), (bad, bad)):
        mean, strength = offset_posterior(0.5, combine({"m": cell}, {"m": pool})["m"])
        assert 0.0 < mean < 1.0
        assert 30.0 <= strength <= 2_000.0


def test_after_a_drift_the_prediction_counts_little_and_regains_its_worth():
    strengths = [
        prediction_strength(seen(drifts=1, drifted_at=100, calls_seen=calls)) for calls in (100, 200, 2_000)
    ]
    assert strengths[0] == 5.0
    assert 5.0 < strengths[1] < 20.0
    assert strengths[2] == pytest.approx(30.0, abs=0.01)


def test_the_long_run_leaves_out_the_last_few_observations():
    assert long_run(whole(n=100, fast_reward=10.0, fast_predicted=7.0, fast_weight=14.0)) == (
        80.0,
        43.0,
        86.0,
    )
    assert long_run(None) == long_run(whole(n=10, fast_weight=14.0)) == (0.0, 0.0, 0.0)


def test_an_arm_known_by_its_tier_alone_is_drawn_widely_until_it_was_seen():
    known, unknown = arm("known"), replace(arm("unknown"), is_unknown=True)
    rng = np.random.default_rng(25)
    before = draw([known, unknown], {}, rng, 4_000)
    assert before[:, 0].mean() == pytest.approx(before[:, 1].mean(), abs=0.02)
    assert before[:, 1].std() > 2 * before[:, 0].std()
    sums = {"reward_sum": 36.0, "predicted_sum": 28.0, "weight": 40.0}
    after = draw([known, unknown], {name: seen(name, **sums) for name in ("known", "unknown")}, rng, 4_000)
    assert after[:, 1].mean() > after[:, 0].mean(), "what was seen weighs more beside a guess"
    assert after[:, 1].std() < 0.5 * before[:, 1].std()


def test_where_nobody_judges_an_unknown_arm_is_as_any_other():
    unknown = replace(arm("unknown"), is_unknown=True)
    assert UNJUDGED_LEARNER.about(unknown) is UNJUDGED_LEARNER
    assert DEFAULT_LEARNER.about(arm()) is DEFAULT_LEARNER
    assert DEFAULT_LEARNER.about(unknown).n0 == DEFAULT_LEARNER.unknown_n0
