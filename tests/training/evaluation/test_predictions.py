from dataclasses import replace

import numpy as np
import pytest

from x25.routing.prompt.logistic import sigmoids
from x25.training.data.metrics import auc, brier, ece
from x25.training.evaluation.predictions import LEAST_SHARE, fit_seed_form, prediction_figures, seed_probs
from x25.training.fit.heads import difficulty_target, fit_tier

CAPABILITY = np.array([0.3, 0.5, 0.7, 0.9])
WEIGHTS = np.array([4.0, -1.1, -1.5])


@pytest.fixture(scope="module")
def figures(fitted):
    return prediction_figures(fitted[0])


def test_figures_are_those_of_the_heads_on_test(figures, fitted):
    fit, _ = fitted
    found, side = figures.figures, fit.test
    # Panel and source have the same three models here, so the average is over the tiers.
    assert found["models_averaged"] == 3
    for name, measure in (("auc", auc), ("brier", brier), ("ece", ece)):
        expected = np.mean(
            [measure(side.completion_probs[:, tier], side.scores[:, tier]) for tier in range(3)]
        )
        assert found[name] == pytest.approx(expected)
    assert 0.6 < found["auc"] < 1.0
    assert found["auc_in_dataset"] == pytest.approx(found["auc"])  # there is but one dataset


def test_difficulty_is_compared_with_how_many_failed(figures, fitted):
    fit, truth = fitted
    target = difficulty_target(fit.test_prompts.correct.mean(axis=1))
    found = figures.figures["difficulty_pearson"]
    assert found == pytest.approx(np.corrcoef(fit.test_difficulty, target)[0, 1])
    # Three answers tell a prompt's difficulty badly: the estimate stands closer to the truth than to them.
    assert 0.25 < found < np.corrcoef(fit.test_difficulty, truth)[0, 1]


def test_tiers_carry_their_calibration(figures, fitted):
    tiers = figures.figures["tiers"]
    assert list(tiers) == ["slm", "mid", "frontier"]
    for row in tiers.values():
        assert sum(one["count"] for one in row["calibration"]) == len(fitted[0].test)
        gaps = [
            one["count"] * abs(one["mean_predicted_prob"] - one["share_completed"])
            for one in row["calibration"]
        ]
        assert row["ece"] == pytest.approx(sum(gaps) / len(fitted[0].test))


def test_the_published_form_stands_beside_ours(figures, fitted):
    found = figures.figures
    assert found["ece_ratio_to_seed_form"] == pytest.approx(found["ece"] / found["seed_form"]["ece"])
    assert figures.seed_probs.shape == (len(fitted[0].test), 3)
    assert (np.diff(figures.seed_probs.mean(axis=0)) > 0).all()


def test_a_model_recorded_for_too_few_prompts_is_not_averaged(fitted):
    fit, _ = fitted
    scores = fit.train_prompts.scores.copy()
    scores[: int(len(scores) * (1.01 - LEAST_SHARE) * 2), 1] = np.nan
    found = prediction_figures(replace(fit, train_prompts=replace(fit.train_prompts, scores=scores))).figures
    assert found["models_averaged"] == 2


def test_outcomes_of_test_change_what_is_measured_but_nothing_that_predicts(fitted, figures):
    fit, _ = fitted
    deal = np.random.default_rng(0).permutation(len(fit.test_prompts))
    dealt = replace(
        fit.test_prompts, scores=fit.test_prompts.scores[deal], correct=fit.test_prompts.correct[deal]
    )
    other = prediction_figures(replace(fit, test_prompts=dealt))
    assert np.array_equal(other.seed_probs, figures.seed_probs)
    assert other.figures["auc"] == pytest.approx(0.5, abs=0.1)


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
