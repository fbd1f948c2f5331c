"""Intervals and rates from sums over all calls of some days, and of the newest ones quality by kind of task."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from .call_pages import CallLine
from .periods import Totals

Z95 = 1.959963984540054
LEAST = 30
"""Calls below which no interval is told: their spread is not known well enough."""


@dataclass(frozen=True, slots=True)
class Range:
    """A figure, and the 95 % interval around it; none where too few calls tell."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class TaskQuality:
    """Scores of the calls of one kind of task."""

    task_type: str
    calls: int
    mean: Range


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of some calls, 0 to 1."""

    calls: int
    escalated: float
    """Somebody stronger was asked because an answer was not good enough."""
    fell_back: float
    """Another was asked because one failed."""
    failed: float
    judged: float
    simulated: float


def saved_total(totals: Totals) -> Range:
    """Return what was saved, nano-dollars, with the interval within which another such week's would lie by chance."""
    exact_nusd, count = float(totals.saved_nusd), totals.total_calls
    if count < LEAST:
        return Range(exact_nusd)
    half_nusd = 1e9 * Z95 * _sd(exact_nusd / 1e9, totals.saved_sq, count) * sqrt(count)
    return Range(exact_nusd, exact_nusd - half_nusd, exact_nusd + half_nusd)


def mean_quality(totals: Totals) -> Range | None:
    """Return the mean score with its normal interval; None where no call has one."""
    return _mean(totals.quality, totals.quality_sq, totals.rated)


def mean_range(values: Sequence[float]) -> Range | None:
    """Return a mean with its normal interval; None of nothing."""
    return _mean(sum(values), sum(one * one for one in values), len(values))


def difference(new: Range | None, old: Range | None) -> Range | None:
    """Return new less old, of two independent means; None where one is missing."""
    if new is None or old is None:
        return None
    value = new.value - old.value
    if new.low is None or old.low is None:
        return Range(value)
    half = sqrt((new.value - new.low) ** 2 + (old.value - old.low) ** 2)
    return Range(value, value - half, value + half)


def scores(lines: Sequence[CallLine]) -> list[float]:
    """Return the quality scores there are."""
    return [one.quality_score for one in lines if one.quality_score is not None]


def quality_by_task(lines: Sequence[CallLine]) -> list[TaskQuality]:
    """Return each kind of task's mean score, most calls first; kinds without any score are left out."""
    groups: dict[str, list[CallLine]] = {}
    for one in lines:
        groups.setdefault(one.task_type, []).append(one)
    found = [
        TaskQuality(name, len(group), mean)
        for name, group in groups.items()
        if (mean := mean_range(scores(group))) is not None
    ]
    return sorted(found, key=lambda one: (-one.calls, one.task_type))


def rates(totals: Totals) -> Rates | None:
    """Return the shares among some calls; None of nothing."""
    count = totals.total_calls
    if not count:
        return None
    return Rates(
        count, totals.escalated / count, totals.fell_back / count, totals.failed / count, totals.judged / count,
        totals.simulated / count,
    )  # fmt: skip


def _mean(total: float, squares: float, count: int) -> Range | None:
    if not count:
        return None
    mean = total / count
    if count < LEAST:
        return Range(mean)
    half = Z95 * _sd(total, squares, count) / sqrt(count)
    return Range(mean, mean - half, mean + half)


def _sd(total: float, squares: float, count: int) -> float:
    """Return the standard deviation of values by their sum, the sum of their squares, and how many they are."""
    return sqrt(max(0.0, squares - total * total / count) / (count - 1))
