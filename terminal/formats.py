"""Figures as people read them: with units and thousands separators, and never more digits than they are worth."""

from datetime import datetime

from ..state.queries.spreads import Range
from .markup import Markup, tag

NOTHING = "–"
MINUS = "−"


def number(value: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{round(value):,}".replace("-", MINUS)


def usd(nusd: float) -> str:
    """Return nano-dollars as dollars: cents from ten dollars on, else four significant digits at most."""
    dollars, sign = abs(nusd) / 1e9, MINUS if nusd < 0 else ""
    if dollars >= 10 or dollars == 0:
        return f"{sign}${dollars:,.2f}"
    if dollars >= 0.1:
        return f"{sign}${dollars:.3f}"
    digits = f"{dollars:.9f}".rstrip("0")
    first = next((n for n, one in enumerate(digits[2:]) if one != "0"), 0)
    return f"{sign}${dollars:.{min(9, first + 3)}f}"


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return NOTHING if share is None else f"{100 * share:.{digits}f} %".replace("-", MINUS)


def points(change: float) -> str:
    """Return a change of a share in percentage points, with its sign."""
    return f"{100 * change:+.1f} points".replace("-", MINUS)


def change(new: float | None, old: float | None) -> str:
    """Return by which share an amount changed; nothing where there was none."""
    return NOTHING if not old or new is None else f"{100 * (new - old) / abs(old):+.0f} %".replace("-", MINUS)


def point_change(new: float | None, old: float | None) -> str:
    """Return by how many percentage points a share changed."""
    return NOTHING if new is None or old is None else points(new - old)


def counted(value: float, noun: str) -> str:
    """Return how many there are of something, in the singular for one."""
    return f"{number(value)} {noun}" if round(value) == 1 else f"{number(value)} {noun}s"


def duration(ms: float | None) -> str:
    """Return milliseconds, from a second on seconds."""
    if ms is None:
        return NOTHING
    return f"{ms:,.0f} ms" if ms < 1_000 else f"{ms / 1_000:,.1f} s"


def uptime(seconds: float) -> str:
    """Return how long something has been running, to the minute: what stands still is not sent again."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "under a minute"


def usd_range(found: Range) -> str:
    """Return the interval of an amount in nano-dollars; empty where none is known."""
    return "" if found.low is None or found.high is None else f"{usd(found.low)} to {usd(found.high)}"


def share_range(found: Range) -> str:
    """Return the interval of a share; empty where none is known."""
    if found.low is None or found.high is None:
        return ""
    return f"{percent(max(0.0, found.low))} to {percent(min(1.0, found.high))}"


def moment(at: datetime) -> Markup:
    """Return a time that the page turns into its reader's zone."""
    return tag("time", f"{at:%Y-%m-%d %H:%M:%S} UTC", datetime=at.isoformat(), data_local=True)


def dollars(value: float) -> str:
    """Return dollars as `usd` does nano-dollars."""
    return usd(value * 1e9)
