"""Heads fitted on recorded outcomes: difficulty, completion of each tier given it, and the cost of a call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.linear import LinearHead, standardise
from ...routing.prompt.logistic import sigmoids

Floats = NDArray[np.float64]

RIDGE_ALPHAS = (100.0, 300.0, 1_000.0, 3_000.0)
"""Penalties tried; the one of the highest out-of-fold correlation is taken."""
SHRINKAGES = (0.0, 0.25, 0.5, 1.0)
"""How fast an estimate may fade with novelty, tried alike. Folds that keep families of prompts apart tell."""
PASS_RATE_FLOOR = 0.02
"""A prompt that nobody or everybody answers well keeps a finite difficulty."""
_SLOPE_PENALTY = 1.0  # pseudo-observations that pull a slope to the usual one
USUAL_SLOPE = 0.75


def difficulty_target(pass_rate: Floats) -> Floats:
    """Return -logit of a pass rate clipped to [.02, .98]."""
    clipped = np.clip(pass_rate, PASS_RATE_FLOOR, 1.0 - PASS_RATE_FLOOR)
    return np.log((1.0 - clipped) / clipped)


def fit_ridge(design: Floats, target: Floats, alpha: float, weight: Floats | None = None) -> LinearHead:
    """Fit a ridge regression on standardised inputs; an input that never varies gets no weight.

    `weight` counts each row, shape (rows,); None = all alike.
    """
    weight = np.ones(len(target)) if weight is None else weight
    mean = np.average(design, axis=0, weights=weight)
    scale = np.sqrt(np.average((design - mean) ** 2, axis=0, weights=weight))
    varies = scale > 1e-6
    scale = np.where(varies, scale, 1.0)
    inputs = standardise(design, mean, scale) * varies
    centre = np.average(inputs, axis=0, weights=weight)
    centred = inputs - centre
    level = float(np.average(target, weights=weight))
    weighed = centred * weight[:, None]
    inverse = np.linalg.inv(weighed.T @ centred + alpha * np.eye(inputs.shape[1]))
    coef = inverse @ (weighed.T @ (target - level)) * varies
    factor = (np.linalg.cholesky(inverse) * varies[:, None]).astype(np.float32)
    own = ((centred.astype(np.float32) @ factor) ** 2).sum(axis=1).astype(np.float64)
    estimates = level + centred @ coef
    return LinearHead(
        mean, scale, centre, coef, level, float(estimates.min()), float(estimates.max()), alpha, factor,
        # A row's leverage had it been left out, as a new prompt is.
        typical=max(float(np.median(own / np.maximum(1.0 - own, 1e-3))), 1e-9),
    )  # fmt: skip


def fit_ridge_by_folds(
    design: Floats,
    target: Floats,
    fold: NDArray[np.int64],
    alphas: Sequence[float] = RIDGE_ALPHAS,
    shrinkages: Sequence[float] = SHRINKAGES,
) -> tuple[LinearHead, Floats]:
    """Return the head of the best penalty and shrinkage, fitted on all rows, and its out-of-fold estimates.

    Rows whose target is NaN are not fitted on; their out-of-fold estimate comes from the other folds as well.
    """
    known = np.isfinite(target)
    best: tuple[float, float, float, Floats] | None = None
    for alpha in alphas:
        estimates = np.empty((len(shrinkages), len(target)))
        for one in np.unique(fold):
            away = fold == one
            head = fit_ridge(design[known & ~away], target[known & ~away], alpha)
            for place, shrinkage in enumerate(shrinkages):
                estimates[place, away] = replace(head, shrinkage=shrinkage).predict(design[away])
        for shrinkage, estimate in zip(shrinkages, estimates, strict=True):
            score = pearson(estimate[known], target[known])
            if best is None or score > best[0]:
                best = (score, alpha, shrinkage, estimate)
    assert best is not None
    _, alpha, shrinkage, estimate = best
    head = replace(fit_ridge(design[known], target[known], alpha), shrinkage=shrinkage)
    sigma = residual_variance(head, design[known], target[known] - estimate[known])
    return replace(head, sigma=sigma), estimate


def residual_variance(head: LinearHead, design: Floats, residual: Floats) -> tuple[float, float]:
    """Return constant and slope of the squared out-of-fold residual over leverage, neither below 0."""
    leverage = head.typical * (1.0 + head.novelty(design))
    if leverage.std() <= 1e-6 * head.typical:  # no line through points that stand on one spot
        return float((residual**2).mean()), 0.0
    slope, constant = np.polyfit(leverage, residual**2, 1)
    if slope < 0.0 or constant < 0.0:
        return float((residual**2).mean()), 0.0
    return float(constant), float(slope)


@dataclass(frozen=True, slots=True)
class TierHead:
    """Completion of one tier given the difficulty: p = sigmoids(level - slope difficulty)."""

    level: float
    slope: float

    def predict(self, difficulty: Floats) -> Floats:
        """Return the probability of a good answer, same shape."""
        return sigmoids(self.level - self.slope * difficulty)


def fit_tier(difficulty: Floats, outcome: Floats) -> TierHead:
    """Fit level and slope by maximum likelihood, the slope shrunk a little to the usual one.

    Parameters
    ----------
    difficulty
        **Out-of-fold** estimates, shape (rows,). Fitting on what training saw, or on the true difficulty, would
        make the slope too steep for what is estimated in serving.
    outcome
        Quality in [0, 1] (a soft label where it is no pass or fail), same shape; NaN rows are left out.
    """
    known = np.isfinite(outcome)
    x, y = difficulty[known], outcome[known]
    weights = np.array([0.0, USUAL_SLOPE])
    inputs = np.stack([np.ones_like(x), -x], axis=1)
    penalty = np.diag([1e-3, _SLOPE_PENALTY])
    prior = weights.copy()
    for _ in range(30):
        p = sigmoids(inputs @ weights)
        gradient = inputs.T @ (p - y) + penalty @ (weights - prior)
        curvature = (inputs * (p * (1.0 - p))[:, None]).T @ inputs + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights - np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return TierHead(float(weights[0]), float(weights[1]))


def pearson(a: Floats, b: Floats) -> float:
    """Return the linear correlation; 0 where either never varies."""
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
