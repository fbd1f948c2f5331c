import numpy as np
import pytest

from x25.routing.prompt.logistic import sigmoids
from x25.training.fit.heads import PASS_RATE_FLOOR, TierHead, difficulty_target, fit_tier


def test_difficulty_is_the_logit_of_failing_and_stays_finite():
    assert difficulty_target(np.array([0.5, 0.25, 0.75])) == pytest.approx([0.0, np.log(3), -np.log(3)])
    ends = difficulty_target(np.array([0.0, 1.0]))
    assert ends == pytest.approx(np.log((1 - PASS_RATE_FLOOR) / PASS_RATE_FLOOR) * np.array([1, -1]))
    assert np.isnan(difficulty_target(np.array([np.nan])))[0]


def test_a_tier_finds_a_known_level_and_slope():
    rng = np.random.default_rng(1)
    difficulty = rng.normal(0.0, 1.5, 20_000)
    outcome = (rng.random(20_000) < sigmoids(0.8 - 1.3 * difficulty)).astype(float)
    outcome[::50] = np.nan
    head = fit_tier(difficulty, outcome)
    assert (head.level, head.slope) == pytest.approx((0.8, 1.3), abs=0.07)
    assert head.predict(np.array([0.8 / 1.3])) == pytest.approx([0.5], abs=0.02)


def test_a_tier_takes_soft_labels():
    difficulty = np.linspace(-3.0, 3.0, 4_000)
    head = fit_tier(difficulty, sigmoids(0.4 - 0.9 * difficulty))
    assert (head.level, head.slope) == pytest.approx((0.4, 0.9), abs=0.01)


def test_a_tier_is_flatter_on_estimates_than_on_the_truth():
    # Errors in variables: what serves is the estimate, and fitting on the truth would trust it too much.
    rng = np.random.default_rng(6)
    truth = rng.normal(0.0, 1.5, 5_000)
    outcome = (rng.random(5_000) < sigmoids(0.5 - truth)).astype(float)
    estimate = truth + rng.normal(0.0, 1.5, 5_000)
    flat, steep = fit_tier(estimate, outcome), fit_tier(truth, outcome)
    assert flat.slope < 0.7 * steep.slope
    loss = {
        head.slope: -np.log(np.where(outcome > 0.5, p, 1 - p)).mean()
        for head in (flat, steep)
        for p in (head.predict(estimate),)
    }
    assert loss[flat.slope] < loss[steep.slope]


def test_a_tier_of_a_few_answers_stays_near_the_usual_slope():
    # Without the pull to the usual slope, two answers that agree would make it infinite.
    assert 0.75 < fit_tier(np.array([-1.0, 1.0]), np.array([1.0, 0.0])).slope < 1.5
    always = fit_tier(np.linspace(-1, 1, 50), np.ones(50))
    assert np.isfinite([always.level, always.slope]).all()
    assert always.predict(np.array([0.0]))[0] > 0.95


def test_probabilities_do_not_overflow():
    with np.errstate(all="raise"):
        assert TierHead(0.0, 1.0).predict(np.array([-1e4, 0.0, 1e4])).tolist() == [1.0, 0.5, 0.0]
