"""How good are predicted probabilities? Their ranking, squared error and calibration, and how sure a mean is."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS = 10
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Compare what was predicted with what happened among predictions of about the same size."""

    low: float
    high: float
    count: int
    mean_predicted_prob: float
    share_completed: float

    def as_dict(self) -> dict[str, float | int]:
        """Return the bin as a plain mapping."""
        return asdict(self)


def auc(score: ArrayLike, label: ArrayLike) -> float:
    """Return the probability that a positive is ranked above a negative, ties counting half.

    Parameters: `score` and `label` have shape (n,); a label above 1/2 is positive. NaN when either class is
    missing.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    Notes
    -----
    Mann-Whitney U / (positives x negatives), with mean ranks for ties.
    """
    scores, labels = _pair(score, label)
    positive = labels > 0.5
    positives = int(positive.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(counts)
    mean_rank = last_rank - (counts - 1) / 2.0
    rank_sum = float(mean_rank[inverse][positive].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def brier(prob: ArrayLike, label: ArrayLike) -> float:
    """Return the mean squared difference of probability and label, 0 best; labels may be soft.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or there is none.
    """
    probs, labels = _pair(prob, label)
    return float(np.mean((probs - labels) ** 2))


def ece(prob: ArrayLike, label: ArrayLike, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean gap of prediction and outcome, weighted by bin size.

    Bins are equally wide over [0, 1]; labels may be soft.

    Raises
    ------
    ValueError
        If the shapes differ, a probability is outside [0, 1], there is no row, or `bins` is less than 1.
    """
    table = calibration_table(prob, label, bins)
    rows = sum(one.count for one in table)
    return sum(one.count * abs(one.mean_predicted_prob - one.share_completed) for one in table) / rows


def calibration_table(prob: ArrayLike, label: ArrayLike, bins: int = BINS) -> list[CalibrationBin]:
    """Return the bins that hold anything, lowest first; raises as `ece` does."""
    probs, labels = _pair(prob, label)
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins}")
    if probs.min() < 0.0 or probs.max() > 1.0:
        raise ValueError(f"expected probabilities in [0, 1], got {probs.min():g} to {probs.max():g}")
    place = np.minimum((probs * bins).astype(np.int64), bins - 1)
    return [
        CalibrationBin(
            low=one / bins,
            high=(one + 1) / bins,
            count=int(inside.sum()),
            mean_predicted_prob=float(probs[inside].mean()),
            share_completed=float(labels[inside].mean()),
        )
        for one in np.unique(place)
        for inside in (place == one,)
    ]


def bootstrap_ci(
    values: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval of the mean of `values`, shape (n,), resampled with replacement.

    Raises
    ------
    ValueError
        If there is no value, one is not finite, or `level` is not in (0, 1).
    """
    sample = np.asarray(values, dtype=np.float64).ravel()
    if not len(sample) or not np.isfinite(sample).all():
        raise ValueError("expected at least one value, all of them finite")
    if not 0.0 < level < 1.0:
        raise ValueError(f"expected level in (0, 1), got {level}")
    means = np.array([sample[rng.integers(len(sample), size=len(sample))].mean() for _ in range(resamples)])
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Return Spearman's rank correlation, ties sharing their mean rank; 0 where either never varies.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or there is none.
    """
    first, second = (_mean_ranks(values) for values in _pair(a, b))
    if first.std() == 0.0 or second.std() == 0.0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _mean_ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return ranks


def _pair(score: ArrayLike, label: ArrayLike) -> tuple[Floats, Floats]:
    scores = np.asarray(score, dtype=np.float64).ravel()
    labels = np.asarray(label, dtype=np.float64).ravel()
    if scores.shape != labels.shape or not len(scores):
        raise ValueError(
            f"expected as many labels as scores, at least one, got {len(labels)} and {len(scores)}"
        )
    if not (np.isfinite(scores).all() and np.isfinite(labels).all()):
        raise ValueError("expected finite scores and labels")
    return scores, labels
