"""How good are the heads' predictions on test? Ranking, calibration, and the published form beside them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids
from ..data.metrics import auc, brier, calibration_table, ece
from ..data.recorded import Recorded
from ..fit.heads import difficulty_target, fit_tier
from ..fit.logistic import newton
from ..fit.ridge import pearson
from .fit import PanelFit

Floats = NDArray[np.float64]

LEAST_SHARE = 0.9
"""A model counts in the averages when this share of the prompts was recorded for it."""
_MOST_ROWS = 200_000
_SEED_PENALTY = np.full(3, 1e-3)


@dataclass(frozen=True)
class Predictions:
    """Figures of the heads, and the published form's predictions of the panel's own models on test."""

    figures: dict[str, Any]
    seed_probs: Floats
    """Shape (test prompts of the panel, tiers)."""


def prediction_figures(fit: PanelFit) -> Predictions:
    """Return Pearson of the difficulty and AUC, Brier and ECE averaged over the models of the panel's source.

    AUC and Brier take right or wrong as label; calibration takes the quality itself, which heads predict.
    """
    train, test = fit.train_prompts, fit.test_prompts
    recorded = np.isfinite(train.scores).mean(axis=0)
    models = [model for model, share in zip(train.models, recorded, strict=True) if share >= LEAST_SHARE]
    models = [model for model in models if model in test.models]
    columns, test_columns = train.columns(models), test.columns(models)
    capability = np.nanmean(train.scores[:, columns], axis=0)
    true_difficulty = difficulty_target(train.pass_rate())
    weights = fit_seed_form(capability, true_difficulty, train.scores[:, columns])
    published = seed_probs(weights, capability, fit.test_difficulty)
    ours = np.stack(
        [
            fit_tier(fit.train_difficulty, train.scores[:, column]).predict(fit.test_difficulty)
            for column in columns
        ],
        axis=1,
    )
    score, correct = test.scores[:, test_columns], test.correct[:, test_columns]
    target = difficulty_target(test.pass_rate())
    known = np.isfinite(target)
    mine, theirs = (_averaged(probs, score, correct, test) for probs in (ours, published))
    side = fit.test
    figures = {
        "models_averaged": len(models),
        "difficulty_pearson": pearson(fit.test_difficulty[known], target[known]),
        **mine,
        "seed_form": theirs,
        "ece_ratio_to_seed_form": mine["ece"] / theirs["ece"],
        "tiers": _tier_figures(fit),
    }
    own = np.array([_mean(fit.train.scores[:, index]) for index in range(len(fit.panel.models))])
    return Predictions(figures, seed_probs(weights, own, side.difficulty))


def _tier_figures(fit: PanelFit) -> dict[str, Any]:
    """Return calibration of the panel's own tiers on test."""
    probs, scores = fit.test.completion_probs, fit.test.scores
    return {
        tier: {
            "ece": ece(probs[:, index], scores[:, index]),
            "calibration": [one.as_dict() for one in calibration_table(probs[:, index], scores[:, index])],
        }
        for index, tier in enumerate(fit.panel.tiers)
    }


def _mean(values: Floats) -> float:
    return float(np.nanmean(values))


def _averaged(probs: Floats, score: Floats, correct: Floats, test: Recorded) -> dict[str, float]:
    """Return the figures averaged over models; `auc_in_dataset` over the datasets of each model first."""
    names = np.unique(test.datasets)
    rows: dict[str, list[float]] = {"auc": [], "auc_in_dataset": [], "brier": [], "ece": []}
    for column in range(probs.shape[1]):
        known = np.isfinite(score[:, column])
        p, label = probs[known, column], correct[known, column]
        rows["auc"].append(auc(p, label))
        rows["brier"].append(brier(p, label))
        rows["ece"].append(ece(p, score[known, column]))
        inside = [
            auc(p[here], label[here])
            for here in (test.datasets[known] == name for name in names)
            if here.sum() >= 20
        ]
        rows["auc_in_dataset"].append(float(np.nanmean(inside)) if np.isfinite(inside).any() else np.nan)
    return {name: float(np.nanmean(values)) for name, values in rows.items()}


def fit_seed_form(capability: Floats, difficulty: Floats, outcome: Floats) -> Floats:
    """Return (a, b, c) of the published p = sigmoids(a capability + b difficulty + c), kept as a baseline.

    Parameters
    ----------
    capability
        One number a model, shape (models,).
    difficulty
        **True** difficulty of each prompt, shape (prompts,); its error in serving is what the form ignores.
    outcome
        Shape (prompts, models), NaN = not recorded.
    """
    rows, columns = np.nonzero(np.isfinite(outcome) & np.isfinite(difficulty)[:, None])
    if len(rows) > _MOST_ROWS:
        kept = np.random.default_rng(0).choice(len(rows), _MOST_ROWS, replace=False)
        rows, columns = rows[kept], columns[kept]
    inputs = np.stack([capability[columns], difficulty[rows], np.ones(len(rows))], axis=1)
    return newton(inputs, outcome[rows, columns], _SEED_PENALTY)


def seed_probs(weights: Floats, capability: Floats, difficulty: Floats) -> Floats:
    """Return the predictions, shape (prompts, models)."""
    return sigmoids(weights[0] * capability[None, :] + weights[1] * difficulty[:, None] + weights[2])
