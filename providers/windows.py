"""Prices that change with the time of day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .fields import Fields

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60
PRICE_NAMES = ("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok")
_WINDOW_KEYS = ("start", "end", "days", *PRICE_NAMES)


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


def parse_windows(prices: Fields, usual: Sequence[Decimal | None], *, free: bool) -> tuple[PriceWindow, ...]:
    """Return the windows written under `windows` of a model's prices, none where there is no such key.

    Raises
    ------
    ConfigError
        A time, day, zone or price is wrong, a window is empty or changes no price, two windows overlap, or the model
        has no usual price to fall back on.
    """
    if prices.mapping.get("windows") is None:
        if "time_zone" in prices.mapping:
            raise prices.wrong("time_zone", "absent without windows")
        return ()
    zone = prices.text("time_zone")
    try:
        zone_of(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise prices.wrong("time_zone", 'a time zone such as "UTC" or "Asia/Shanghai"') from error
    if None in usual:
        raise prices.wrong("windows", "absent while the usual price is not known")
    windows = tuple(_window(item, zone, free=free) for item in prices.items("windows", _WINDOW_KEYS))
    spans = sorted(span for window in windows for span in window.spans())
    if any(start < end for (_, end), (start, _) in pairwise(spans)):
        raise prices.wrong("windows", "windows that do not overlap")
    return windows


def _window(item: Fields, zone: str, *, free: bool) -> PriceWindow:
    start, end = _minute(item, "start"), _minute(item, "end")
    if start == end:
        raise item.wrong("end", "another time than start")
    days = item.texts("days", allowed=WEEKDAYS) or WEEKDAYS
    prices = {name: item.optional_number(name) for name in PRICE_NAMES}
    if all(price is None for price in prices.values()):
        raise item.wrong("input_usd_per_mtok", "a price, here or for output: a window changes one")
    for name, price in prices.items():
        if price == 0 and not free:
            raise item.wrong(name, "above 0, or free: true written beside the prices")
    return PriceWindow(start, end, zone, frozenset(WEEKDAYS.index(day) for day in days), **prices)


def _minute(item: Fields, key: str) -> int:
    """Return minutes after midnight of "HH:MM"; YAML reads 10:00 without quotes as the number 600, base sixty."""
    value = item.mapping.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MINUTES_PER_DAY:
        return value
    hours, _, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not (len(minutes) == 2 and (hours + minutes).isdecimal() and len(hours) <= 2):
        raise item.wrong(key, 'a time of day such as "09:30"')
    passed = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) > 59 or passed >= timedelta(days=1):
        raise item.wrong(key, 'a time of day such as "09:30"')
    return int(passed.total_seconds()) // 60
