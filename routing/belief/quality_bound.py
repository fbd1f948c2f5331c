"""At least how many answers are good? A lower bound on their share that holds at every label, not only at the last.

Labels x_1, x_2, … in [0, 1] are of answers picked with known probabilities pi_i, the smallest of them pi. Were the mean
quality q or less, no bet on the opposite could be expected to win: for any stakes f_k in (0, 1) of weight 1 / K

    M_n(q) = mean over k of prod_i (1 + f_k (pi / pi_i) (x_i - q) / q)

is a nonnegative supermartingale of start 1, so that it ever reaches 1 / delta with probability delta at most. The
bound is the largest q whose M_n(q) is at least 1 / delta: M falls in q. It may be read after every label, whatever was
decided after those before.

After an alarm of the drift detector, or of the labels themselves (`label_alarms`), labels of earlier calls say nothing
of today's answers. The bound is suspended, and begins anew with labels of calls made since, the k-th time with
delta / (k (k + 1)): over all of them the sum is delta.

Source: Ville 1939; Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86:1 (2024), betting; the
weights are Horvitz and Thompson's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .drift import THRESHOLD, surprise

Floats = NDArray[np.float64]
DELTA = 0.05
"""Probability that a stated level is ever above the truth."""
LEAST_LABELS = 30
"""Labels from which a level is stated."""
STAKES = np.geomspace(0.004, 0.95, 28)
_BISECTIONS = 40
Status = Literal["stated", "too few labels", "suspended by drift"]


@dataclass(frozen=True, slots=True)
class SampledLabel:
    """How good an answer was found to be that was picked by chance."""

    right: float
    """0 (wrong) to 1 (right)."""
    sampled_prob: float
    """Probability with which its call was picked, above 0."""

    def __post_init__(self) -> None:
        """Check ranges."""
        if not (0.0 <= self.right <= 1.0 and 0.0 < self.sampled_prob <= 1.0):
            raise ValueError(
                f"a label needs right in [0, 1] and a probability in (0, 1], got {self.right, self.sampled_prob!r}"
            )


@dataclass(frozen=True, slots=True)
class DatedLabel:
    """A label with what decides which statement it belongs to."""

    label: SampledLabel
    called_at: datetime
    model_id: str
    task_type: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """When the drift detector last found a model changed, and how often it did."""

    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class QualityBound:
    """What is stated of one task type."""

    status: Status
    level: float | None
    """At least this share of answers is good; None while nothing is stated."""
    delta: float
    """Probability that any level ever stated is above the truth."""
    labels: int
    """Those the level rests on."""
    since: datetime | None
    """Alarm that it began anew after; None = it rests on all labels."""


def is_picked(org: str, call_id: str, share: float) -> bool:
    """Return whether a call belongs to the sample that holds this share of an org's calls, each as likely as any.

    Larger shares hold the smaller ones. The rule looks at the call's name alone, so nothing need be kept of it.
    """
    digest = sha256(f"{org}\n{call_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2.0**64


def lower_bound(labels: Sequence[SampledLabel], delta: float = DELTA) -> float:
    """Return the largest share of good answers that the labels prove, 0 to 1.

    Raises
    ------
    ValueError
        If delta is not between 0 and 1.
    """
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must be between 0 and 1, got {delta!r}")
    if not labels:
        return 0.0
    pairs = _counted(labels)
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        if _log_wealth(pairs, middle) >= log(1.0 / delta):
            low = middle
        else:
            high = middle
    return low


def log_wealth(labels: Sequence[SampledLabel], level: float) -> float:
    """Return ln M_n(level): how much the labels speak against a mean quality of `level` or less; 0 of no label."""
    return _log_wealth(_counted(labels), level) if labels else 0.0


def _counted(labels: Sequence[SampledLabel]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return the kinds of labels, how good and with which relative weight, and how many there are of each."""
    pairs = np.array([(one.right, one.sampled_prob) for one in labels])
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    right, prob = kinds.T
    return right, prob.min() / prob, counts


def _log_wealth(counted: tuple[Floats, Floats, NDArray[np.int64]], level: float) -> float:
    right, weight, counts = counted
    wins = (np.log1p(STAKES[:, None] * weight * (right - level) / level) * counts).sum(axis=1)
    top = wins.max()
    return float(top + log(np.exp(wins - top).mean()))


def label_alarms(labels: Sequence[DatedLabel]) -> Alarms | None:
    """Return when labels themselves last showed that answers became worse, and how often; None where they never did.

    The detector's own sum (`drift.surprise`), with labels for what was seen and the mean of those before for what was
    expected. They tell of a change that a blunt judge needs long to see.
    """
    known, good, evidence = 0, 0.0, 0.0
    found: Alarms | None = None
    for one in labels:
        right = one.label.right
        if known >= LEAST_LABELS:
            evidence = max(0.0, evidence + surprise(good / known, (right, 1.0 - right))[1])
        known, good = known + 1, good + right
        if evidence > THRESHOLD:
            found = Alarms(one.called_at, 1 + (0 if found is None else found.count))
            known, good, evidence = 0, 0.0, 0.0
    return found


def bounds_by_task(
    labels: Iterable[DatedLabel], alarms: dict[str, Alarms], delta: float = DELTA
) -> dict[str, QualityBound]:
    """Return what is stated of each task type that has labels.

    Parameters
    ----------
    alarms
        By model id; those of models whose answers of a task type were labelled suspend its bound.
    """
    by_task: dict[str, list[DatedLabel]] = defaultdict(list)
    for one in labels:
        by_task[one.task_type].append(one)
    return {task: _bound(mine, alarms, delta) for task, mine in sorted(by_task.items())}


def _bound(labels: Sequence[DatedLabel], alarms: dict[str, Alarms], delta: float) -> QualityBound:
    in_order = sorted(labels, key=lambda one: one.called_at)
    heard = [alarms[model_id] for model_id in {one.model_id for one in labels} if model_id in alarms]
    if (shown := label_alarms(in_order)) is not None:
        heard.append(shown)
    since = max((one.last_at for one in heard), default=None)
    newer = [one.label for one in in_order if since is None or one.called_at > since]
    if len(newer) < LEAST_LABELS:
        status: Status = "too few labels" if since is None else "suspended by drift"
        return QualityBound(status, None, delta, len(newer), since)
    times = 1 + sum(one.count for one in heard)
    level = lower_bound(newer, delta / (times * (times + 1)))
    return QualityBound("stated", round(level, 4), delta, len(newer), since)
