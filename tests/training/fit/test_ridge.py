import numpy as np
import pytest

from x25.training.fit.ridge import fit_plain_ridge

RNG = np.random.default_rng(0)
DESIGN = np.hstack([RNG.normal(3.0, 2.0, size=(2_000, 4)), np.ones((2_000, 1))])
TARGET = 0.7 * DESIGN[:, 0] - 0.2 * DESIGN[:, 2] + RNG.normal(0.0, 0.1, size=2_000)


def test_a_linear_target_is_found():
    head = fit_plain_ridge(DESIGN, TARGET, 1.0)
    assert head.coef / head.scale == pytest.approx([0.7, 0.0, -0.2, 0.0, 0.0], abs=0.02)
    assert head.predict(DESIGN).mean() == pytest.approx(TARGET.mean())


def test_an_input_that_never_varied_has_no_weight():
    head = fit_plain_ridge(DESIGN, TARGET, 1.0)
    other = DESIGN[:3].copy()
    other[:, 4] = 1e6
    assert head.coef[4] == 0.0
    assert head.predict(other) == pytest.approx(head.predict(DESIGN[:3]))


def test_a_larger_penalty_moves_estimates_towards_the_mean():
    spreads = [fit_plain_ridge(DESIGN, TARGET, alpha).predict(DESIGN).std() for alpha in (1.0, 1e3, 1e5)]
    assert spreads == sorted(spreads, reverse=True)


def test_estimates_stay_in_the_training_range():
    head = fit_plain_ridge(DESIGN, TARGET, 1.0)
    assert head.predict(DESIGN * 1e3).max() == head.high == head.predict(DESIGN).max()
    assert head.predict(-DESIGN * 1e3).min() == head.low
