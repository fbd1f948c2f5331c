"""Stretches of days and what the sums say of them: totals, a figure a day, shares by model and tier, a forecast."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from ..savings import paid, saved
from .rollups import DaySum, every_day

Key = TypeVar("Key")
MOST_DAYS = 366
"""Longest stretch that a page shows."""


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Check the order and the length."""
        if not timedelta(0) <= self.last - self.first < timedelta(days=MOST_DAYS):
            raise ValueError(f"a period must have 1 to {MOST_DAYS} days, got {self.first} to {self.last}")

    @classmethod
    def ending(cls, last: date, days: int) -> "Period":
        """Return so many days up to `last`."""
        return cls(last - timedelta(days=days - 1), last)

    def __contains__(self, day: object) -> bool:
        """Return whether a day is one of these."""
        return isinstance(day, date) and self.first <= day <= self.last

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The stretch of the same length that ends the day before."""
        return Period.ending(self.first - timedelta(days=1), self.length)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some calls; money in nano-dollars."""

    total_calls: int = 0
    cost_nusd: int = 0
    judge_cost_nusd: int = 0
    reference_cost_nusd: int = 0
    judged: int = 0
    rated: int = 0
    timed: int = 0
    escalated: int = 0
    fell_back: int = 0
    failed: int = 0
    simulated: int = 0
    quality: float = 0.0
    """Sum of the scores."""
    latency_ms: float = 0.0
    """Sum over the timed calls."""
    quality_sq: float = 0.0
    saved_sq: float = 0.0
    """Dollars squared."""
    believed: int = 0
    """Calls of whose answer it was kept how likely it is right."""
    right_prob: float = 0.0
    """Sum of these probabilities."""

    @property
    def paid_nusd(self) -> int:
        """Everything the calls cost, judge included."""
        return paid(self.cost_nusd, self.judge_cost_nusd)

    @property
    def saved_nusd(self) -> int:
        """What was saved against the reference, judge included; below 0 where the calls cost more."""
        return saved(self.reference_cost_nusd, self.paid_nusd)

    @property
    def saved_share(self) -> float | None:
        """The same as a share of what the reference would have cost."""
        return self.saved_nusd / self.reference_cost_nusd if self.reference_cost_nusd else None

    @property
    def mean_quality(self) -> float | None:
        """Mean score of the calls that have one, 0 to 1."""
        return self.quality / self.rated if self.rated else None

    @property
    def mean_latency_ms(self) -> float | None:
        """Mean over the timed calls."""
        return self.latency_ms / self.timed if self.timed else None

    @property
    def judged_share(self) -> float | None:
        """Share of the calls that a judge scored."""
        return self.judged / self.total_calls if self.total_calls else None

    @property
    def failed_share(self) -> float | None:
        """Share of the calls that nobody answered."""
        return self.failed / self.total_calls if self.total_calls else None


@dataclass(frozen=True, slots=True)
class Share:
    """Calls of one model or tier."""

    name: str
    """"none" = no answer was bought."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class Point:
    """One day; without calls all its figures are 0."""

    day: date
    totals: Totals


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month will have cost when it ends, if its remaining days cost what the last seven did."""

    spent_nusd: int
    month_end_nusd: int
    low_nusd: int
    """Remaining days as the cheapest of the last seven; `high_nusd` as the dearest."""
    high_nusd: int
    days_left: int


def total(sums: Iterable[DaySum]) -> Totals:
    """Return the sums of some days and models together."""
    rows, names = list(sums), Totals.__dataclass_fields__
    return Totals(**{name: sum(getattr(one, name) for one in rows) for name in names})


def by_day(sums: Sequence[DaySum], period: Period) -> list[Point]:
    """Return every day of the period, gaps included."""
    groups = _grouped(sums, lambda one: one.day)
    return [Point(day, total(groups.get(day, ()))) for day in every_day(period.first, period.last)]


def by_model(sums: Sequence[DaySum]) -> list[Share]:
    """Return each model's sums, most calls first."""
    return _shares(sums, lambda one: one.model_id)


def by_tier(sums: Sequence[DaySum]) -> list[Share]:
    """Return each tier's sums, most calls first."""
    return _shares(sums, lambda one: one.tier)


def cost_drivers(sums: Sequence[DaySum], most: int = 3) -> list[Share]:
    """Return the models that cost most, dearest first, judgements of their answers included."""
    found = sorted(_shares(sums, lambda one: one.model_id), key=lambda one: -one.totals.paid_nusd)
    return [one for one in found if one.totals.paid_nusd > 0][:most]


def forecast(sums: Sequence[DaySum], today: date) -> Forecast:
    """Return where the month of `today` is heading.

    Parameters
    ----------
    sums
        At least those of the month so far and of the seven days before today. Today counts as it is so far; days
        before the first call are left out of the rate.
    """
    month = [one for one in sums if (one.day.year, one.day.month) == (today.year, today.month)]
    week = by_day(sums, Period.ending(today - timedelta(days=1), 7))
    active = week[next((n for n, one in enumerate(week) if one.totals.total_calls), len(week)) :]
    spent = total(month).paid_nusd
    rates = [one.totals.paid_nusd for one in active] or [total(month).paid_nusd]
    left = monthrange(today.year, today.month)[1] - today.day
    mean = sum(rates) / len(rates)
    return Forecast(
        spent, spent + round(mean * left), spent + min(rates) * left, spent + max(rates) * left, left
    )


def _grouped(sums: Iterable[DaySum], key: Callable[[DaySum], Key]) -> dict[Key, list[DaySum]]:
    groups: dict[Key, list[DaySum]] = {}
    for one in sums:
        groups.setdefault(key(one), []).append(one)
    return groups


def _shares(sums: Sequence[DaySum], key: Callable[[DaySum], str]) -> list[Share]:
    found = [Share(name, total(group)) for name, group in _grouped(sums, key).items()]
    return sorted(found, key=lambda one: (-one.totals.total_calls, one.name))
