"""Stretches of days in plain words: what a question says of when, and what is left of it."""

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ...state.queries.periods import MOST_DAYS, Period

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
COUNTS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "fourteen": 14,
    "thirty": 30,
}
UNITS = {"day": 1, "week": 7, "month": 30}
_LAST_N = re.compile(
    r"\b(?:(?:in|over|during|for|within) )?(?:the )?(?:last|past|previous) (\d{1,3}|"
    + "|".join(COUNTS)
    + r") (day|week|month)s?\b"
)
_NAMED = re.compile(
    r"\b(?:(?:in|over|during|for|since|on|of) )?(?:(?:the|this|last|past|previous|current) )*"
    r"(today|yesterday|day|week|month|ever|all time|"
    r"so far this month|month to date)\b"
)
_DATE = re.compile(
    r"\b(?:on |from |since )?(\d{4}-\d{2}-\d{2})(?: (?:to|until|till|and) (\d{4}-\d{2}-\d{2}))?\b"
)
_MONTH = re.compile(r"\b(?:in|during|for|of|since) (" + "|".join(MONTHS) + r")\b")


_UP_TO = re.compile(r"\b(?:until|till|through|before|after|up to|\d{4}-\d{2}-\d{2} to) (?:the )?$")
"""What makes a stretch the end of another one, whose beginning is not told."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of days, and what to call it."""

    words: str
    period: Period
    is_since: bool = False
    """It is asked of what came since its beginning: `up_to` today, unless it is compared with what followed."""

    def up_to(self, today: date) -> "Span":
        """Return all days from its first to today, where that was asked for."""
        first = self.period.first
        if not self.is_since or not timedelta(0) <= today - first < timedelta(days=MOST_DAYS):
            return self
        return Span(f"since {first}", Period(first, today))


def spans_in(text: str, today: date) -> tuple[list[Span], str]:
    """Return the stretches that a text in lower case names, in their order, and the text without them.

    A week is seven days: this one ends today, the last one ends before it begins. A month is the calendar's.
    """
    found: list[tuple[int, Span]] = []
    written = text

    def take(pattern: re.Pattern[str], read: object, rest: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            span = None if _UP_TO.search(written[: match.start()]) else read(match, today)  # type: ignore[operator]
            if span is None:
                return match.group(0)
            found.append((match.start(), span))
            return " " * len(match.group(0))

        return pattern.sub(replaced, rest)

    for pattern, read in ((_LAST_N, _last_n), (_DATE, _dates), (_MONTH, _month), (_NAMED, _named)):
        text = take(pattern, read, text)
    return [span for _, span in sorted(found, key=lambda one: one[0])], text


def last_days(today: date, days: int) -> Span:
    """Return so many days up to today."""
    return Span(f"the last {days} days", Period.ending(today, days))


def _last_n(match: re.Match[str], today: date) -> Span | None:
    count = COUNTS.get(match.group(1)) or int(match.group(1))
    days = count * UNITS[match.group(2)]
    return last_days(today, days) if 1 <= days <= MOST_DAYS else None


def _dates(match: re.Match[str], today: date) -> Span | None:
    try:
        first = date.fromisoformat(match.group(1))
        last = date.fromisoformat(match.group(2)) if match.group(2) else first
        if match.group(0).startswith(("since ", "from ")) and not match.group(2):
            last = today
        return Span(f"{first} to {last}" if first != last else str(first), Period(first, last))
    except ValueError:
        return None


def _month(match: re.Match[str], today: date) -> Span:
    number = MONTHS.index(match.group(1)) + 1
    year = today.year if number <= today.month else today.year - 1
    first = date(year, number, 1)
    month = Period(first, first.replace(day=monthrange(year, number)[1]))
    return _since(match.group(0), Span(f"{match.group(1).title()} {year}", month))


def _named(match: re.Match[str], today: date) -> Span | None:
    words, name = match.group(0), match.group(1)
    fixed = {
        "ever": Span("the last 366 days", Period.ending(today, MOST_DAYS)),
        "all time": Span("the last 366 days", Period.ending(today, MOST_DAYS)),
        "today": Span("today", Period(today, today)),
        "yesterday": Span("yesterday", Period.ending(today - timedelta(days=1), 1)),
    }
    if name in fixed:
        return _since(words, fixed[name])
    if not re.search(r"\b(this|last|past|previous|current|so far|to date)\b", words):
        return None
    is_last = re.search(r"\b(last|past|previous)\b", words) is not None
    return _since(words, _past(name, today) if is_last else _present(name, today))


def _since(words: str, span: Span) -> Span:
    return replace(span, is_since=words.startswith("since "))


def _present(name: str, today: date) -> Span:
    if name == "day":
        return Span("today", Period(today, today))
    if name == "week":
        return Span("the last seven days", Period.ending(today, 7))
    return Span("this month so far", Period(today.replace(day=1), today))


def _past(name: str, today: date) -> Span:
    if name == "day":
        return Span("yesterday", Period.ending(today - timedelta(days=1), 1))
    if name == "week":
        return Span("the seven days before the last seven", Period.ending(today, 7).before)
    before = today.replace(day=1) - timedelta(days=1)
    return Span("last month", Period(before.replace(day=1), before))
