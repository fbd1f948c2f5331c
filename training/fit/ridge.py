"""How is a linear head fitted? Ridge regression on standardised inputs, its penalty chosen by cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.linear import LinearHead, standardise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RIDGE_ALPHAS = (100.0, 300.0, 1_000.0, 3_000.0)
"""Penalties tried; the one of the highest out-of-fold correlation is taken."""
SHRINKAGES = (0.0, 0.25, 0.5, 1.0)
"""How fast an estimate may fade with novelty, tried alike. Folds that keep families of prompts apart tell."""


@dataclass(frozen=True)
class Anchors:
    """Rows of known target, fitted on in every fold and judged in none."""

    design: Floats
    """Shape (anchors, inputs)."""
    target: Floats
    """Shape (anchors,)."""
    weight: float = 1.0
    """What each counts for beside another row."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What cross-validation chooses among."""

    alphas: Sequence[float] = RIDGE_ALPHAS
    shrinkages: Sequence[float] = SHRINKAGES


EVERYTHING = Tried()


def fit_ridge(design: Floats, target: Floats, alpha: float, weight: Floats | None = None) -> LinearHead:
    """Fit a ridge regression on standardised inputs; an input that never varies gets no weight.

    `weight` counts each row, shape (rows,); None = all alike.
    """
    return fit_ridges(design, target[:, None], alpha, weight)[0]


def fit_ridges(
    design: Floats, targets: Floats, alpha: float, weight: Floats | None = None
) -> list[LinearHead]:
    """Return a ridge for each column of `targets`, shape (rows, targets): the matrix is inverted once for all."""
    weight = np.ones(len(targets)) if weight is None else weight
    mean = np.average(design, axis=0, weights=weight)
    scale = np.sqrt(np.average((design - mean) ** 2, axis=0, weights=weight))
    varies = scale > 1e-6
    scale = np.where(varies, scale, 1.0)
    inputs = standardise(design, mean, scale) * varies
    centre = np.average(inputs, axis=0, weights=weight)
    centred = inputs - centre
    levels = np.average(targets, axis=0, weights=weight)
    weighed = centred * weight[:, None]
    inverse = np.linalg.inv(weighed.T @ centred + alpha * np.eye(inputs.shape[1]))
    coefs = inverse @ (weighed.T @ (targets - levels)) * varies[:, None]
    factor = (np.linalg.cholesky(inverse) * varies[:, None]).astype(np.float32)
    own = ((centred.astype(np.float32) @ factor) ** 2).sum(axis=1).astype(np.float64)
    # A row's leverage had it been left out, as a new prompt is.
    typical = max(float(np.median(own / np.maximum(1.0 - own, 1e-3))), 1e-9)
    estimates = levels + centred @ coefs
    ends = zip(estimates.min(axis=0).tolist(), estimates.max(axis=0).tolist(), strict=True)
    return [
        LinearHead(mean, scale, centre, coef, level, low, high, alpha, factor, typical)
        for coef, level, (low, high) in zip(coefs.T, levels.tolist(), ends, strict=True)
    ]


def fit_ridge_by_folds(
    design: Floats, target: Floats, fold: Ints, tried: Tried = EVERYTHING, anchors: Anchors | None = None
) -> tuple[LinearHead, Floats]:
    """Return the head of the best penalty and shrinkage, fitted on all rows, and its out-of-fold estimates.

    Rows whose target is NaN are not fitted on; their out-of-fold estimate comes from the other folds as well.
    """
    known = np.isfinite(target)
    best: tuple[float, float, float, Floats] | None = None
    for alpha in tried.alphas:
        estimates = np.empty((len(tried.shrinkages), len(target)))
        for one in np.unique(fold):
            away = fold == one
            head = _fit(design[known & ~away], target[known & ~away], alpha, anchors)
            for place, shrinkage in enumerate(tried.shrinkages):
                estimates[place, away] = replace(head, shrinkage=shrinkage).predict(design[away])
        for shrinkage, estimate in zip(tried.shrinkages, estimates, strict=True):
            score = pearson(estimate[known], target[known])
            if best is None or score > best[0]:
                best = (score, alpha, shrinkage, estimate)
    assert best is not None
    _, alpha, shrinkage, estimate = best
    head = replace(_fit(design[known], target[known], alpha, anchors), shrinkage=shrinkage)
    sigma = residual_variance(head, design[known], target[known] - estimate[known])
    return replace(head, sigma=sigma), estimate


def _fit(design: Floats, target: Floats, alpha: float, anchors: Anchors | None) -> LinearHead:
    if anchors is None:
        return fit_ridge(design, target, alpha)
    weight = np.repeat([1.0, anchors.weight], [len(target), len(anchors.target)])
    return fit_ridge(
        np.vstack([design, anchors.design]), np.concatenate([target, anchors.target]), alpha, weight
    )


def out_of_fold(design: Floats, targets: Floats, fold: Ints, alpha: float) -> Floats:
    """Return the estimates of many targets by heads that have not seen a row's fold, shape (rows, targets)."""
    estimates = np.empty_like(targets)
    for one in np.unique(fold):
        away = fold == one
        for place, head in enumerate(fit_ridges(design[~away], targets[~away], alpha)):
            estimates[away, place] = replace(head, shrinkage=0.0).predict(design[away])
    return estimates


def residual_variance(head: LinearHead, design: Floats, residual: Floats) -> tuple[float, float]:
    """Return constant and slope of the squared out-of-fold residual over leverage, neither below 0."""
    leverage = head.typical * (1.0 + head.novelty(design))
    if leverage.std() <= 1e-6 * head.typical:  # no line through points that stand on one spot
        return float((residual**2).mean()), 0.0
    slope, constant = np.polyfit(leverage, residual**2, 1)
    if slope < 0.0 or constant < 0.0:
        return float((residual**2).mean()), 0.0
    return float(constant), float(slope)


def pearson(a: Floats, b: Floats) -> float:
    """Return the linear correlation; 0 where either never varies."""
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
