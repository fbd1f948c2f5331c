"""Keep an org's spending at its ceiling: a price that rises with overspending, and a limit no choice may pass.

    price multiplier = exp(clip((spent - allowed) / (300 allowance of one call), -6, 6))
    an arm is allowed iff cost + 2 max(0, cost - allowance of one call) <= what is left, or if it is the cheapest

The same functions serve one call (floats) and many replayed ones at once (arrays).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

GUARD_CALLS = 2.0
"""Allowances of calls to come that a choice may draw on; 20 of them overshot a ceiling by 1.2 %."""
HORIZON_CALLS = 300.0
"""Overspending, in allowances of a call, that multiplies the price by e."""
MOST_EXPONENT = 6.0
SAVED_SHARE = 2.0
"""What must be left beyond a cost above one call's allowance, per dollar above it. A call may cost twice what was
predicted; without such savings it leaves the next ones nothing but the cheapest arm. On recorded outcomes of three
arms this is worth +.003 reward at $.00065 and $.0017 a call; chosen among 0, .5, 1, 1.5, 2 and 3."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Where the spending stands; both of any one shape, one entry a decision."""

    multiplier: Floats
    """What the usual price of a dollar is multiplied with, exp(-6) to exp(6)."""
    left_usd: Floats
    """Most that the next call may cost; below 0 when the ceiling is passed."""
    call_usd: float
    """Allowance of one call."""

    def allows(self, costs_usd: ArrayLike) -> NDArray[np.bool_]:
        """Return which arms may be asked: those that savings cover, and always the cheapest.

        `costs_usd` are predicted costs, shape (..., arms); the leading axes are the pace's own.
        """
        costs = np.asarray(costs_usd, dtype=np.float64)
        needed = costs + SAVED_SHARE * np.maximum(0.0, costs - self.call_usd)
        affordable: NDArray[np.bool_] = needed <= self.left_usd[..., None]
        cheapest: NDArray[np.bool_] = costs == costs.min(axis=-1, keepdims=True)
        return affordable | cheapest


def pace_per_call(
    ceiling_usd: float, spent_usd: ArrayLike, calls: ArrayLike, *, guard_calls: float = GUARD_CALLS
) -> Pace:
    """Return the pace under a mean cost per call.

    Parameters
    ----------
    ceiling_usd
        Largest mean cost of a call, above 0.
    spent_usd, calls
        Spent so far, and over how many calls; the next one is not among them.
    guard_calls
        Allowances beyond the next call's own that it may draw on: spending passes the ceiling by at most these
        plus what the predicted cost of one call fell short, unless even the cheapest arm costs more.

    Raises
    ------
    ValueError
        If the ceiling is not above 0.
    """
    _require_positive("ceiling_usd", ceiling_usd)
    spent, done = np.asarray(spent_usd, dtype=np.float64), np.asarray(calls, dtype=np.float64)
    multiplier = _multiplier(spent - ceiling_usd * done, ceiling_usd)
    return Pace(multiplier, ceiling_usd * (done + 1.0 + guard_calls) - spent, ceiling_usd)


def pace_per_day(ceiling_usd: float, spent_usd: ArrayLike, *, day_share: float, calls_per_day: float) -> Pace:
    """Return the pace under a daily ceiling that is never passed: the day's allowance grows evenly with the clock.

    Parameters
    ----------
    ceiling_usd
        Largest sum of a day, above 0.
    spent_usd
        Spent today.
    day_share
        Part of the day gone, 0 to 1.
    calls_per_day
        Usual number of calls, above 0: decides how fast the price answers, never what is left.

    Raises
    ------
    ValueError
        If a ceiling or number of calls is not above 0, or the share is outside [0, 1].
    """
    _require_positive("ceiling_usd", ceiling_usd)
    _require_positive("calls_per_day", calls_per_day)
    if not 0.0 <= day_share <= 1.0:
        raise ValueError(f"day_share must be between 0 and 1, got {day_share!r}")
    spent = np.asarray(spent_usd, dtype=np.float64)
    # A day of few calls has a shorter horizon, or its price would never move.
    horizon = min(HORIZON_CALLS, calls_per_day / 4.0)
    call_usd = ceiling_usd / calls_per_day
    multiplier = _multiplier(spent - ceiling_usd * day_share, call_usd, horizon)
    return Pace(multiplier, ceiling_usd - spent, call_usd)


def _multiplier(over_usd: Floats, call_usd: float, horizon_calls: float = HORIZON_CALLS) -> Floats:
    exponent = over_usd / (horizon_calls * call_usd)
    return np.exp(np.clip(exponent, -MOST_EXPONENT, MOST_EXPONENT))


def _require_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise ValueError(f"{name} must be finite and above 0, got {value!r}")
