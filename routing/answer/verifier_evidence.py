"""How far the free verifier moves belief in an answer, alone and together with a judge."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..belief.judge_table import BINS, JudgeTable
from ..prompt.logistic import logit, sigmoid

Floats = NDArray[np.float64]

LEAST_LABELS = 200
"""Labelled answers of a tier below which its verifier is not believed."""
LEAST_AUDIT_AUC = 0.60
"""AUC inside one data set, as measured by audits, below which it is not believed."""
LEAST_PROB = 1e-4
"""Beliefs in one answer go this near to certainty: what is seen of it may nearly prove it."""
_PSEUDO_LABELS = 10.0  # spread evenly over the bins, of right and of wrong answers
_MOST_CORRELATION = 0.95

FLAT_TABLE = JudgeTable(name="flat", edges=(-2.0, -1.0, 1.0, 2.0), right=(0.2,) * BINS, wrong=(0.2,) * BINS)
"""No evidence at all: every bin leaves belief where it was."""


@dataclass(frozen=True)
class TierEvidence:
    """What the verifier's log odds of one tier are worth.

    The head's score s becomes log odds `slope` s + `intercept` (Platt); the evidence is what they add to the
    prior's, and falls into one of five bins of `fitted`.
    """

    slope: float
    intercept: float
    fitted: JudgeTable
    labels: int
    """Labelled answers all this was fitted on."""
    audit_auc: float | None
    """AUC inside one data set on answers not fitted on; None = not audited."""

    @property
    def is_trusted(self) -> bool:
        """Whether there are enough labels and an audit that found the verifier good enough."""
        return (
            self.labels >= LEAST_LABELS and self.audit_auc is not None and self.audit_auc >= LEAST_AUDIT_AUC
        )

    @cached_property
    def table(self) -> JudgeTable:
        """The table to decide by: `fitted`, or the flat one while the verifier is not trusted."""
        return self.fitted if self.is_trusted else FLAT_TABLE

    def audited(self, auc: float, labels: int | None = None) -> "TierEvidence":
        """Return this with the outcome of a newer audit."""
        return replace(self, audit_auc=auc, labels=self.labels if labels is None else labels)


def table_of(name: str, evidence: ArrayLike, right: ArrayLike) -> JudgeTable:
    """Return the table of five quantile bins of `evidence`, counted over answers known right or wrong.

    `evidence` must come from a verifier that was not fitted on these answers (out of fold). Each bin starts from
    two pseudo-labels, so that no bin is impossible. Too few different values make the flat table.
    """
    values, is_right = np.asarray(evidence, dtype=np.float64), np.asarray(right, dtype=np.float64) > 0.5
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS)) if len(values) else np.empty(0)
    if len(edges) < BINS - 1:
        return replace(FLAT_TABLE, name=name)
    bins = np.searchsorted(edges, values, side="right")
    shares = []
    for chosen in (is_right, ~is_right):
        counts = np.bincount(bins[chosen], minlength=BINS) + _PSEUDO_LABELS / BINS
        shares.append(tuple((counts / counts.sum()).tolist()))
    return JudgeTable(name, tuple(edges.tolist()), shares[0], shares[1])


def error_correlation(first: ArrayLike, second: ArrayLike, right: ArrayLike) -> float:
    """Return how far two signals of the same answers err together, -1 to 1.

    The correlation of the two within right answers and within wrong ones, pooled: each signal is centred inside
    each class, so that what both know of the truth does not count. 0 where either never varies.
    """
    a, b = (np.asarray(signal, dtype=np.float64).copy() for signal in (first, second))
    is_right = np.asarray(right, dtype=np.float64) > 0.5
    for chosen in (is_right, ~is_right):
        if chosen.any():
            a[chosen] -= a[chosen].mean()
            b[chosen] -= b[chosen].mean()
    norm = sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0.0 else 0.0


def evidence_weights(first_auc: float, second_auc: float, correlation: float) -> tuple[float, float]:
    """Return by what the log likelihood ratios of two signals are multiplied before they are added.

    With d = sqrt(2) Phi^-1(AUC) the distance between right and wrong answers in a signal of unit spread inside
    each class, and r the error correlation, the best linear rule has weights (d1 - r d2, d2 - r d1) / (1 - r^2);
    alone each signal has weight d. So

        w1 = (d1 - r d2) / ((1 - r^2) d1),    w2 = (d2 - r d1) / ((1 - r^2) d2),

    each kept within [0, 1]; r = 0 gives (1, 1). A signal without distance gets weight 0, a negative correlation
    counts as 0: it would strengthen the evidence beyond what was seen.
    Source: Fisher's linear discriminant of two normal classes with one covariance.
    """
    r = min(max(correlation, 0.0), _MOST_CORRELATION)
    first, second = (
        sqrt(2.0) * NormalDist().inv_cdf(min(max(auc, 0.5), 0.9999)) for auc in (first_auc, second_auc)
    )
    weights = [
        min(max((own - r * other) / ((1.0 - r * r) * own), 0.0), 1.0) if own > 0.0 else 0.0
        for own, other in ((first, second), (second, first))
    ]
    # A signal the other makes worthless leaves the other as it is alone.
    if weights[1] == 0.0:
        return float(first > 0.0), 0.0
    if weights[0] == 0.0:
        return 0.0, 1.0
    return weights[0], weights[1]


def temper(table: JudgeTable, weight: float) -> JudgeTable:
    """Return `table` with each bin's log likelihood ratio multiplied by about `weight` in [0, 1].

    A bin keeps its share of all answers under an even mix; 1 leaves the table alone, 0 makes it flat.
    """
    if weight >= 1.0:
        return table
    right, wrong = np.asarray(table.right), np.asarray(table.wrong)
    share = 1.0 / (1.0 + (wrong / right) ** max(weight, 0.0))
    mix = 0.5 * (right + wrong)
    new_right, new_wrong = mix * share, mix * (1.0 - share)
    return replace(
        table,
        right=tuple((new_right / new_right.sum()).tolist()),
        wrong=tuple((new_wrong / new_wrong.sum()).tolist()),
    )


def combine(theta: float, first: float, second: float, weights: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return the probability of a right answer after two signals, given their log likelihood ratios."""
    return sigmoid(logit(theta, LEAST_PROB) + weights[0] * first + weights[1] * second)
