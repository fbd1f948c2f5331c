"""How are numbers written on the page? Rounded for reading, with a real minus, and a dash where there is none."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

ABSENT: Final = "–"
Interval = tuple[float, float] | None


def signed(value: float | None, digits: int = 1) -> str:
    """Return a difference with its sign and a real minus; nothing is ever minus zero."""
    if value is None:
        return ABSENT
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def plain(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of decimals and a real minus."""
    if value is None:
        return ABSENT
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def score(value: float | None) -> str:
    """Return a score of [0, 1] as written: 0 to 100."""
    return plain(None if value is None else 100.0 * value, 1)


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share of [0, 1] in per cent; what is not all never reads 100 %."""
    if value is None:
        return ABSENT
    written = plain(100.0 * value, digits)
    return f"{plain(100.0 * value, 1) if written == '100' and value < 1.0 else written} %"


def usd(value: float | None) -> str:
    """Return dollars with three significant digits."""
    if value is None:
        return ABSENT
    if value == 0.0:
        return "$0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{'−' if value < 0 else ''}${abs(value):,.{decimals}f}"


def usd_tick(value: float) -> str:
    """Return round dollars without trailing zeros."""
    written = f"{value:.10f}".rstrip("0").rstrip(".")
    return f"${written}"


def count(value: float | None) -> str:
    """Return a whole number with its thousands apart."""
    return ABSENT if value is None else f"{round(value):,}"


def between(bounds: Interval) -> str:
    """Return the interval of a difference."""
    return ABSENT if bounds is None else f"{signed(bounds[0])} to {signed(bounds[1])}"


def percent_between(bounds: Interval) -> str:
    """Return the interval of a share, in per cent."""
    return ABSENT if bounds is None else f"{plain(100.0 * bounds[0], 0)} to {plain(100.0 * bounds[1], 0)}"


def percent_range(shares: Sequence[float]) -> str:
    """Return the lowest and the highest of some shares, once where they read alike."""
    if not shares:
        return ABSENT
    low, high = min(shares), max(shares)
    return percent(low) if percent(low) == percent(high) else f"{plain(100.0 * low, 0)} to {percent(high)}"


def spread(mean: float | None, sd: float | None, factor: float = 1.0) -> str:
    """Return a mean with its standard deviation, both times a factor."""
    if mean is None:
        return ABSENT
    return f"{signed(factor * mean)} ± {plain(None if sd is None else factor * sd, 1)}"


def figure(value: Any) -> str:
    """Return a figure of any kind: a list as its parts, an absent one as a dash."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " · ".join(figure(one) for one in value)
    if value is None or isinstance(value, (bool, str)):
        return ABSENT if value is None else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {figure(one)}" for key, one in value.items())
    return f"{value:.4g}".replace("-", "−")


FILTERS: Mapping[str, Callable[..., str]] = {
    one.__name__: one
    for one in (signed, plain, score, percent, usd, count, between, percent_between, percent_range, figure)
}
