"""How well do scores tell right answers from wrong ones? Within a source, within a data set, and in size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.metrics import auc
from ..data.recorded import Texts

Floats = NDArray[np.float64]
_LEAST_PAIRS = 20
_BINS = 10


def auc_within(scores: ArrayLike, right: ArrayLike, datasets: Texts) -> float:
    """Return the AUC inside each data set, averaged in proportion to its pairs of a right and a wrong answer.

    Which data set an answer belongs to cannot help. NaN where there are fewer than 20 such pairs.
    """
    values, is_right = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    total = pairs = 0.0
    for dataset in np.unique(datasets):
        chosen = datasets == dataset
        positives = float((is_right[chosen] > 0.5).sum())
        weight = positives * (chosen.sum() - positives)
        if weight:
            total += weight * auc(values[chosen], is_right[chosen])
            pairs += weight
    return total / pairs if pairs >= _LEAST_PAIRS else float("nan")


def calibration_error(probs: ArrayLike, right: ArrayLike) -> float:
    """Return the expected calibration error: |mean probability - share right| over ten bins of equal size."""
    values, is_right = np.asarray(probs, dtype=np.float64), np.asarray(right, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    error = 0.0
    for rows in np.array_split(order, _BINS):
        if len(rows):
            error += len(rows) * abs(float(values[rows].mean() - is_right[rows].mean()))
    return error / len(values)


def per_model(
    scores: Floats, correct: Floats, datasets: Texts, columns: Sequence[int] | None = None
) -> dict[str, float]:
    """Return the two AUCs for one fixed model, averaged over models, so that knowing the model cannot help.

    `scores` and `correct` have the shape (prompts, models), NaN = no answer; `columns` are the models counted.
    """
    source, within = [], []
    for column in range(scores.shape[1]) if columns is None else columns:
        known = np.isfinite(scores[:, column]) & np.isfinite(correct[:, column])
        if known.any():
            source.append(auc(scores[known, column], correct[known, column]))
            within.append(auc_within(scores[known, column], correct[known, column], datasets[known]))
    return {"auc": _mean(source), "auc_in": _mean(within)}


def calibration_per_model(probs: Floats, correct: Floats, columns: Sequence[int]) -> float:
    """Return the calibration error for one fixed model, averaged over models."""
    errors = []
    for column in columns:
        known = np.isfinite(probs[:, column]) & np.isfinite(correct[:, column])
        if known.any():
            errors.append(calibration_error(probs[known, column], correct[known, column]))
    return _mean(errors)


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
