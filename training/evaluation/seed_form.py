"""The published factored model, kept as a baseline: fitted on true difficulty, served on the estimate."""

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids

Floats = NDArray[np.float64]

_MOST_ROWS = 200_000
_PENALTY = 1e-3


def fit_seed_form(capability: Floats, difficulty: Floats, outcome: Floats) -> Floats:
    """Return (a, b, c) of p = sigmoids(a capability + b difficulty + c) by maximum likelihood.

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
    label = outcome[rows, columns]
    weights = np.zeros(3)
    for _ in range(50):
        p = sigmoids(inputs @ weights)
        gradient = inputs.T @ (p - label) + _PENALTY * weights
        curvature = (inputs * (p * (1.0 - p))[:, None]).T @ inputs + _PENALTY * np.eye(3)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - np.clip(step, -3.0, 3.0)
        if np.abs(step).max() < 1e-9:
            break
    return weights


def seed_probs(weights: Floats, capability: Floats, difficulty: Floats) -> Floats:
    """Return the predictions, shape (prompts, models)."""
    return sigmoids(weights[0] * capability[None, :] + weights[1] * difficulty[:, None] + weights[2])
