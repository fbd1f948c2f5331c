"""What a judge's score is worth: how often right and wrong answers land in each of five score bins."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

BINS = 5
LEAST_AUC = 0.65
"""Below this a judge is too weak to move anybody's belief: its low scores trigger no escalation."""
TABLE_START = 50.0
"""Labels the default table is worth before any of an org's own, half of them right."""
_Z95 = 1.959964
_BISECTIONS = 50


def _normalised(name: str, shares: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(shares)
    if len(shares) != BINS or min(shares) <= 0 or not abs(total - 1.0) <= 0.011:
        raise ValueError(f"{name} must be {BINS} positive shares of sum 1, got {shares!r}")
    return tuple(share / total for share in shares)


@dataclass(frozen=True)
class JudgeTable:
    """Likelihood of each score bin for right and for wrong answers of one judge.

    `right` and `wrong` are L1 and L0, five shares each, normalised to sum 1 on construction; `edges` are the
    four inner bin edges, rising, in score units.
    """

    name: str
    edges: tuple[float, ...]
    right: tuple[float, ...]
    wrong: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check edges, check and normalise shares."""
        if len(self.edges) != BINS - 1 or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError(f"edges must be {BINS - 1} rising numbers, got {self.edges!r}")
        object.__setattr__(self, "right", _normalised("right", self.right))
        object.__setattr__(self, "wrong", _normalised("wrong", self.wrong))

    def bin_of(self, score: float) -> int:
        """Return the bin of a score, 0 (worst) to 4; a score on an edge belongs to the bin above."""
        if not isfinite(score):
            raise ValueError(f"score must be finite, got {score!r}")
        return bisect_right(self.edges, score)

    def posterior(self, theta: float, score_bin: int) -> float:
        """Return P(right | bin) for an answer believed right with probability `theta` (Bayes' rule)."""
        right, wrong = theta * self.right[score_bin], (1.0 - theta) * self.wrong[score_bin]
        return right / (right + wrong)

    @cached_property
    def auc(self) -> float:
        """Probability that a right answer scores above a wrong one; a shared bin counts half."""
        below = np.concatenate(([0.0], np.cumsum(self.wrong)[:-1]))
        return float(np.dot(self.right, below + 0.5 * np.asarray(self.wrong)))

    @property
    def is_trusted(self) -> bool:
        """Whether the judge may trigger an escalation."""
        return self.auc >= LEAST_AUC

    def reward_weights(self) -> NDArray[np.float64]:
        """Return the learning weight of each bin, shape (5,).

        The weights w are unbiased for correctness (sum L1 w = 1, sum L0 w = 0) and of the smallest variance
        under an even mix of right and wrong answers: w = M^-1 A' (A M^-1 A')^-1 (1, 0)', A = [L1; L0],
        M = diag((L1 + L0) / 2). They may lie outside [0, 1].

        Raises
        ------
        ValueError
            If L1 = L0: the scores carry nothing.
        """
        return self._weights

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        likelihoods = np.array([self.right, self.wrong])
        scaled = likelihoods / likelihoods.mean(axis=0)
        gram = scaled @ likelihoods.T
        if abs(np.linalg.det(gram)) < 1e-9:
            raise ValueError(f"judge table {self.name!r} tells right from wrong answers in no bin")
        weights: NDArray[np.float64] = np.linalg.solve(gram, np.array([1.0, 0.0])) @ scaled
        weights.flags.writeable = False  # one copy for all who ask
        return weights

    def weight_variance(self, prob: float) -> float:
        """Return the variance of the learning weight of an answer that is right with probability `prob`.

        It is above prob (1 - prob), that of knowing the answer, by what the judge gets wrong.
        """
        weights = self.reward_weights()
        shares = prob * np.asarray(self.right) + (1.0 - prob) * np.asarray(self.wrong)
        return float(shares @ weights**2) - prob**2


DEFAULT_TABLE = JudgeTable(
    name="default",
    edges=(0.2, 0.4, 0.6, 0.8),
    right=(0.08, 0.17, 0.23, 0.25, 0.27),
    wrong=(0.52, 0.27, 0.13, 0.07, 0.02),
)
"""A judge of AUC about .85 (.83 on the five bins), for deployments that have not measured their own."""


def table_from_counts(
    default: JudgeTable,
    right: Sequence[float],
    wrong: Sequence[float],
    *,
    name: str = "",
    start: float = TABLE_START,
) -> JudgeTable:
    """Return the table of a judge from labelled answers counted by bin, on top of the default's `start` labels.

    Raises
    ------
    ValueError
        If there is not one count per bin, or one is negative or not finite.
    """
    rows = []
    for counts, shares in ((right, default.right), (wrong, default.wrong)):
        if len(counts) != BINS or any(not (isfinite(count) and count >= 0.0) for count in counts):
            raise ValueError(f"counts must be {BINS} finite numbers >= 0, got {tuple(counts)!r}")
        row = [count + start / 2.0 * share for count, share in zip(counts, shares, strict=True)]
        rows.append(tuple(count / sum(row) for count in row))
    return JudgeTable(name or default.name, default.edges, *rows)


def auc_of_counts(right: Sequence[float], wrong: Sequence[float]) -> float | None:
    """Return how often a right answer scores above a wrong one, a shared bin counting half; None without both."""
    total = sum(right) * sum(wrong)
    if not total > 0.0:
        return None
    below, above = 0.0, 0.0
    for count_right, count_wrong in zip(right, wrong, strict=True):
        above += count_right * (below + 0.5 * count_wrong)
        below += count_wrong
    return above / total


def auc_interval(auc: float, right: float, wrong: float) -> tuple[float, float]:
    """Return the 95 % interval of an AUC estimated from so many labelled right and wrong answers.

    The AUCs whose own standard error reaches as far as the estimate; unlike a resampling interval it does not shrink
    to a point where few labels happen to be told apart without an error.

    Raises
    ------
    ValueError
        If the AUC is outside [0, 1], or a number of answers is not above 0.

    Source: Newcombe, Statistics in Medicine 25:559 (2006), method 5, on the variance of Hanley and McNeil (1982).
    """
    if not (0.0 <= auc <= 1.0 and right > 0.0 and wrong > 0.0):
        raise ValueError(
            f"an interval needs an AUC in [0, 1] and labels on both sides, got {auc, right, wrong!r}"
        )
    return _farthest(auc, 0.0, right, wrong), _farthest(auc, 1.0, right, wrong)


def _farthest(auc: float, end: float, right: float, wrong: float) -> float:
    """Return the AUC farthest towards `end` that the estimate does not contradict, by bisection."""
    inside, outside = auc, end
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2.0
        if abs(auc - middle) <= _Z95 * _auc_error(middle, right, wrong):
            inside = middle
        else:
            outside = middle
    return inside


def _auc_error(auc: float, right: float, wrong: float) -> float:
    pairs = max((right + wrong) / 2.0 - 1.0, 0.0)
    shape = 1.0 + pairs * (1.0 - auc) / (2.0 - auc) + pairs * auc / (1.0 + auc)
    return sqrt(auc * (1.0 - auc) * shape / (right * wrong))
