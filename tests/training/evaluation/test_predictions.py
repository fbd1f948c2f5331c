from dataclasses import replace

import numpy as np
import pytest

from x25.training.data.metrics import auc, brier, ece
from x25.training.evaluation.predictions import LEAST_SHARE, prediction_figures
from x25.training.fit.heads import difficulty_target


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
