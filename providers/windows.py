"""Prices that change with the time of day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
MINUTES_PER_DAY = 24 * 60
PRICE_NAMES = ("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok")


@dataclass(frozen=True, slots=True)
class PriceWindow:
    """Prices, US dollars per million tokens, from `start_minute` (included) to `end_minute` (excluded)."""

    start_minute: int
    """Minutes after midnight on the clock of `zone`."""
    end_minute: int
    """At or before the start: the window ends on the next day."""
    zone: str
    """Name in the time zone database, such as "UTC" or "Asia/Shanghai"."""
    days: frozenset[int] = frozenset(range(7))
    """Days on which it starts, 0 = Monday."""
    input_usd_per_mtok: Decimal | None = None
    """None = the model's usual price; so for the others."""
    output_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether `now` lies in the window.

        Raises
        ------
        ValueError
            If `now` has no time zone: it could be any moment of the day.
        """
        if now.tzinfo is None or now.utcoffset() is None:
            raise ValueError(f"expected a time with a time zone, got {now!r}")
        local = now.astimezone(zone_of(self.zone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start_minute < self.end_minute:
            return day in self.days and self.start_minute <= minute < self.end_minute
        began_today = day in self.days and minute >= self.start_minute
        return began_today or ((day - 1) % 7 in self.days and minute < self.end_minute)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield its spans as minutes of the week, the end excluded; one that wraps Sunday's midnight gives two."""
        week = 7 * MINUTES_PER_DAY
        length = (self.end_minute - self.start_minute) % MINUTES_PER_DAY
        for day in self.days:
            start = day * MINUTES_PER_DAY + self.start_minute
            yield start, min(start + length, week)
            if start + length > week:
                yield 0, start + length - week


def zone_of(name: str) -> tzinfo:
    """Return a time zone by name; "UTC" needs no time zone database.

    Raises
    ------
    ZoneInfoNotFoundError
        No zone has that name.
    """
    return UTC if name == "UTC" else ZoneInfo(name)
