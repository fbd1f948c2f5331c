"""Figures over rounds: percentiles, medians with their range, ratios, growth; and a cell of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PERCENTILES = (50, 95, 99)
NOT_MEASURED = "not measured yet"


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over the rounds."""

    median: float
    low: float
    high: float


def over_rounds(values: Sequence[float]) -> Spread:
    """Return median, lowest and highest of one figure.

    Raises
    ------
    ValueError
        When there is no round.
    """
    if not values:
        raise ValueError("expected the figure of at least one round, got none")
    return Spread(float(np.median(values)), min(values), max(values))


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return the 50th, 95th and 99th percentile as `p50`, `p95` and `p99`."""
    found = np.percentile(np.asarray(values, dtype=float), PERCENTILES)
    return {f"p{percent}": float(value) for percent, value in zip(PERCENTILES, found, strict=True)}


def added(direct: Sequence[float], through: Sequence[float]) -> dict[str, float]:
    """Return by how much each percentile of `through` lies above the same percentile of `direct`."""
    base, other = percentiles(direct), percentiles(through)
    return {name: other[name] - base[name] for name in base}


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return ours / theirs over the rounds, round by round: what slowed a whole round down divides out.

    Raises
    ------
    ValueError
        When a round is missing on one side.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"expected as many rounds on both sides, got {len(ours)} and {len(theirs)}")
    return over_rounds(
        [our / their if their else float("inf") for our, their in zip(ours, theirs, strict=True)]
    )


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of log(value) over log(size) by least squares: 0 is no growth, 1 is in proportion.

    Raises
    ------
    ValueError
        With fewer than two different sizes, or a size or value that has no logarithm.
    """
    if len(set(sizes)) < 2 or len(sizes) != len(values):
        raise ValueError(f"expected values at two sizes or more, got {len(values)} at {sorted(set(sizes))}")
    if min(*sizes, *values) <= 0:
        raise ValueError("expected sizes and values above 0")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def slope(at: Sequence[float], values: Sequence[float]) -> float:
    """Return by how much a value grows a unit of `at`, by least squares; 0 with fewer than two points."""
    return float(np.polyfit(at, values, 1)[0]) if len(set(at)) > 1 else 0.0


def cell(spread: Mapping[str, Any] | None, digits: int | None = None) -> str:
    """Return a spread as a table shows it, the median over the range; where there is none, that."""
    if spread is None:
        return NOT_MEASURED
    if digits is None:
        digits = 0 if abs(spread["median"]) >= 100 else 1 if abs(spread["median"]) >= 10 else 2
    median, low, high = (f"{spread[name]:,.{digits}f}" for name in ("median", "low", "high"))
    return median if low == high else f"{median}\n({low} to {high})"
