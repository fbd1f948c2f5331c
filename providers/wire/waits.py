"""How long a vendor asks to be left alone, in all the forms in which it is said."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_RETRY_AFTER_S = 3600.0
"""Longest wait believed."""
_NUMBER = re.compile(r"(\d{1,30}(?:\.\d{0,20})?)\s*(ms|s|m|h)?")
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,9})m)?(\d{1,9}(?:\.\d{0,9})?)s")
_IN_WORDS = re.compile(
    r"(?:try again|retry) in (?:(\d{1,6})m)?(\d{1,9}(?:\.\d{0,9})?)\s*(ms|s|second|minute|m|h)", re.IGNORECASE
)
_GOOGLES = re.compile(r'"retryDelay":\s*"(\d{1,9}(?:\.\d{0,9})?)s"')
_SECONDS = {"ms": 1e-3, "s": 1.0, "second": 1.0, "m": 60.0, "minute": 60.0, "h": 3600.0}


def retry_after_s(headers: Mapping[str, str], text: str = "", now: datetime | None = None) -> float | None:
    """Return the seconds a vendor asks to wait, 0 to 3,600; None when it does not say, or nothing that can be read.

    Read are the headers `Retry-After-Ms` and `Retry-After` (seconds, a duration such as "1m30s", or a date), then the
    body's words ("try again in 1m2.5s", Google's `retryDelay`).

    Parameters
    ----------
    now
        UTC time against which a date is read; the clock's when absent.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    ms = _NUMBER.fullmatch(given.get("retry-after-ms", ""))
    if ms is not None and ms[2] is None:
        return _bounded(float(ms[1]) * 1e-3)
    value = given.get("retry-after", "")
    # A proxy that adds one of its own leaves two behind a comma: then both ask for it.
    numbers = [_NUMBER.fullmatch(one.strip()) for one in value.split(",")]
    waits_s = [float(one[1]) * _SECONDS[one[2] or "s"] for one in numbers if one is not None]
    if len(waits_s) == len(numbers):
        return _bounded(max(waits_s))
    if (long := _DURATION.fullmatch(value)) is not None:
        return _bounded(3600.0 * float(long[1] or 0) + 60.0 * float(long[2] or 0) + float(long[3]))
    if (until := _date(value)) is not None:
        return _bounded((until - (now or datetime.now(UTC))).total_seconds())
    return _in_words(text)


def _in_words(text: str) -> float | None:
    if (found := _GOOGLES.search(text)) is not None:
        return _bounded(float(found[1]))
    if (found := _IN_WORDS.search(text)) is not None:
        return _bounded(60.0 * float(found[1] or 0) + float(found[2]) * _SECONDS[found[3].lower()])
    return None


def _date(value: str) -> datetime | None:
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def _bounded(wait_s: float) -> float | None:
    return min(MOST_RETRY_AFTER_S, max(0.0, wait_s)) if math.isfinite(wait_s) else None
