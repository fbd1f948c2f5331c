"""How good are an org's answers? What scores say of all of them, corrected by the labels of some.

With f the score of each of N answers, y the labels of n of them, w the inverse probabilities they were picked with:

    value = mean_w(y) + t (mean(f) - mean_w(f)),     t = cov_w(y, f) / var(f) / (1 + n / N), within [0, 1]

which is right on average whatever the scores are worth, and the tighter the more they are. Its variance is that of the
residuals y - t f among the labels plus t^2 var(f) / N. Few labels that are all alike would give no variance at all, so
the interval counts four answers more, two of them wrong.

Source: Angelopoulos et al., Science 382:669 (2023), prediction-powered inference; Angelopoulos, Duchi and Zrnic,
arXiv:2311.01453, the choice of t; Agresti and Coull 1998, the four answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .quality_bound import SampledLabel

LEAST_LABELS = 20
"""Labels from which scores are corrected."""
_Z95 = 1.959964
_ADDED = 4.0


@dataclass(frozen=True, slots=True)
class ScoredLabel:
    """A labelled answer with the score it had before."""

    label: SampledLabel
    score: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Mean quality of answers with its 95 % interval."""

    value: float
    low: float | None
    """None where nothing says how far the scores are off."""
    high: float | None
    measured_by: str
    """"labels and scores", or "scores": the judge's where it looked, else what is expected."""
    labels: int
    answers: int
    """Whose scores are averaged."""


def corrected_quality(scores: Sequence[float], labelled: Sequence[ScoredLabel]) -> Quality | None:
    """Return the mean quality of the answers whose scores are given; None without any.

    Parameters
    ----------
    scores
        Of all answers, the labelled ones included.
    labelled
        Of the same answers those that were picked by chance and labelled.
    """
    if not scores:
        return None
    mean, answers, count = float(np.mean(scores)), len(scores), len(labelled)
    if count < LEAST_LABELS:
        return Quality(mean, None, None, "scores", count, answers)
    weights = np.array([1.0 / one.label.sampled_prob for one in labelled])
    weights /= weights.mean()
    right, score = np.array([(one.label.right, one.score) for one in labelled]).T
    centred = score - np.average(score, weights=weights)
    spread = float(np.average(centred**2, weights=weights))
    covariance = float(np.average(centred * (right - np.average(right, weights=weights)), weights=weights))
    trust = min(max(covariance / spread / (1.0 + count / answers), 0.0), 1.0) if spread > 1e-12 else 0.0
    residuals = right - trust * score
    residual = float(np.average(residuals, weights=weights))
    value = min(max(residual + trust * mean, 0.0), 1.0)
    size = count**2 / float(weights @ weights)
    squares = float((weights**2) @ (residuals - residual) ** 2) + _ADDED / 2.0
    variance = squares / (count + _ADDED) ** 2 + trust**2 * float(np.var(scores)) / answers
    centre = (size * value + _ADDED / 2.0) / (size + _ADDED)
    half = _Z95 * (1.0 + 1.2 / max(size - 2.0, 1.0)) * variance**0.5
    low, high = min(centre - half, value), max(centre + half, value)
    return Quality(value, max(low, 0.0), min(high, 1.0), "labels and scores", count, answers)
