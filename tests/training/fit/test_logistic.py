import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x25.routing.prompt.logistic import sigmoids
from x25.training.fit.logistic import newton

RNG = np.random.default_rng(3)
DESIGN = np.column_stack([RNG.normal(size=(20_000, 2)), np.ones(20_000)])
WEIGHTS = np.array([1.2, -0.7, 0.4])
LABEL = (RNG.random(20_000) < sigmoids(DESIGN @ WEIGHTS)).astype(float)
FREE = np.zeros(3)


def test_the_weights_that_made_the_labels_are_found():
    assert newton(DESIGN, LABEL, FREE) == pytest.approx(WEIGHTS, abs=0.06)


def test_soft_labels_are_met_exactly():
    assert newton(DESIGN, sigmoids(DESIGN @ WEIGHTS), FREE) == pytest.approx(WEIGHTS, abs=1e-6)


def test_the_gradient_of_the_penalised_loss_is_zero_where_it_ends():
    penalty, usual = np.array([3.0, 50.0, 0.1]), np.array([0.5, 0.5, 0.0])
    found = newton(DESIGN, LABEL, penalty, usual)
    gradient = DESIGN.T @ (sigmoids(DESIGN @ found) - LABEL) + penalty * (found - usual)
    assert np.abs(gradient).max() < 1e-4


def test_a_strong_penalty_keeps_what_is_usual():
    usual = np.array([2.0, 2.0, -1.0])
    assert newton(DESIGN[:50], LABEL[:50], np.full(3, 1e6), usual) == pytest.approx(usual, abs=1e-3)


@given(st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_labels_that_a_line_parts_leave_finite_weights(seed):
    rng = np.random.default_rng(seed)
    design = 50.0 * np.column_stack([rng.normal(size=30), np.ones(30)])
    found = newton(design, (design[:, 0] > 0).astype(float), np.array([1.0, 1e-3]))
    assert np.isfinite(found).all()
