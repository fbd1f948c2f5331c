"""What the newest calls tell that sums do not: intervals, percentiles, rates, quality by kind of task."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from .call_pages import CallLine

Z95 = 1.959963984540054
LEAST = 30
"""Calls below which no interval is told: their spread is not known well enough."""
PERCENTS = (50, 90, 95, 99)


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


def saved_total(lines: Sequence[CallLine], exact_nusd: int, total_calls: int) -> Range:
    """Return an exact sum of savings with the interval within which another such week's would lie by chance of calls.

    Parameters
    ----------
    lines
        The newest of the calls, for their spread.
    exact_nusd, total_calls
        Sum over all calls, and how many they are.
    """
    if len(lines) < LEAST:
        return Range(float(exact_nusd))
    half = Z95 * _sd([float(one.saved_nusd) for one in lines]) * sqrt(total_calls)
    return Range(float(exact_nusd), exact_nusd - half, exact_nusd + half)


def mean_range(values: Sequence[float]) -> Range | None:
    """Return a mean with its normal interval; None of nothing."""
    if not values:
        return None
    mean = sum(values) / len(values)
    if len(values) < LEAST:
        return Range(mean)
    half = Z95 * _sd(values) / sqrt(len(values))
    return Range(mean, mean - half, mean + half)


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


def latency_percentiles(lines: Sequence[CallLine]) -> dict[int, float]:
    """Return milliseconds by percent: the least latency that at least so many in a hundred calls did not pass."""
    timed = sorted(one.latency_ms for one in lines if one.status != "interrupted")
    return {p: timed[max(0, -(-p * len(timed) // 100) - 1)] for p in PERCENTS} if timed else {}


def rates(lines: Sequence[CallLine]) -> Rates | None:
    """Return the shares among some calls; None of nothing."""
    if not lines:
        return None
    count = len(lines)
    return Rates(
        calls=count,
        escalated=sum(one.escalations > 0 for one in lines) / count,
        fell_back=sum(one.fallbacks > 0 for one in lines) / count,
        failed=sum(one.status == "failed" for one in lines) / count,
        judged=sum(one.quality_source == "judge" for one in lines) / count,
        simulated=sum(one.simulated for one in lines) / count,
    )


def _sd(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((one - mean) ** 2 for one in values) / (len(values) - 1))
