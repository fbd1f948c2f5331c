import numpy as np
import pytest

from x25.routing.prompt.logistic import sigmoids
from x25.training.data.metrics import ece
from x25.training.evaluation.seed_form import fit_seed_form, seed_probs
from x25.training.fit.heads import fit_tier

CAPABILITY = np.array([0.3, 0.5, 0.7, 0.9])
WEIGHTS = np.array([4.0, -1.1, -1.5])


@pytest.fixture(scope="module")
def answered():
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0.0, 1.2, 4_000)
    chance = sigmoids(4.0 * CAPABILITY - 1.1 * difficulty[:, None] - 1.5)
    return difficulty, (rng.random((4_000, 4)) < chance).astype(float)


def test_known_weights_are_found(answered):
    assert fit_seed_form(CAPABILITY, *answered) == pytest.approx(WEIGHTS, abs=0.15)


def test_what_was_not_recorded_is_left_out(answered):
    difficulty, outcome = answered
    holes = outcome.copy()
    holes[::3, 1] = np.nan
    unknown = difficulty.copy()
    unknown[::5] = np.nan
    # Nothing but noise is lost, and a row of unknown difficulty is as if it were not there.
    found = fit_seed_form(CAPABILITY, unknown, holes)
    known = np.isfinite(unknown)
    assert found == pytest.approx(WEIGHTS, abs=0.2)
    assert np.array_equal(found, fit_seed_form(CAPABILITY, difficulty[known], holes[known]))


def test_predictions_are_one_a_prompt_and_model():
    probs = seed_probs(WEIGHTS, CAPABILITY, np.array([-1.0, 0.0]))
    assert probs.shape == (2, 4)
    assert probs[1, 1] == pytest.approx(1.0 / (1.0 + np.exp(-(4.0 * 0.5 - 1.5))))
    assert (np.diff(probs, axis=1) > 0).all()  # abler models
    assert (probs[0] > probs[1]).all()  # an easier prompt


def test_outcomes_that_agree_leave_finite_weights():
    found = fit_seed_form(CAPABILITY, np.linspace(-1.0, 1.0, 50), np.ones((50, 4)))
    assert np.isfinite(found).all()


def test_served_on_an_estimate_the_form_is_too_sure(answered):
    # What the baseline is kept for: a head fitted on estimates is calibrated where the form is not.
    difficulty, outcome = answered
    estimate = difficulty + np.random.default_rng(1).normal(0.0, 1.2, len(difficulty))
    seen, later = slice(0, 2_000), slice(2_000, None)
    form = seed_probs(fit_seed_form(CAPABILITY, difficulty[seen], outcome[seen]), CAPABILITY, estimate[later])
    ours = fit_tier(estimate[seen], outcome[seen, 2]).predict(estimate[later])
    assert ece(ours, outcome[later, 2]) < 0.6 * ece(form[:, 2], outcome[later, 2])
