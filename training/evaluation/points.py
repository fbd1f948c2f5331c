"""At which price of quality is a policy measured? Operating points, chosen on train and then left alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.cascade import PlanPrices
from .cascade import Outcome, Problem, run_cascade

Floats = NDArray[np.float64]

QUALITY_PRICES: tuple[float, ...] = tuple(np.geomspace(0.002, 5.0, 48).round(5))
"""Quality paid for one frontier call, from hardly to wholly ready to save."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean score and cost of one policy on train at each price; arrays of shape (prices,)."""

    prices: Floats
    score: Floats
    cost_usd: Floats


@dataclass(frozen=True, slots=True)
class Point:
    """A frozen operating point."""

    name: str
    quality_price: float
    is_reached: bool
    """Whether train met what was asked; otherwise the nearest price to it was taken."""
    train_score: float
    train_cost_usd: float


Policy = Callable[[Problem, float], Outcome]
"""What a policy makes of a problem at a price of quality."""


def plan_prices(quality_price: float, problem: Problem) -> PlanPrices:
    """Return the prices of the plan: quality against dollars; time plays no part in recorded outcomes."""
    return PlanPrices(quality_price=quality_price, latency_price=0.0, judge_cost=problem.judge_cost)


def policy_of(table: JudgeTable | None) -> Policy:
    """Return the policy of a judge's table, of no judge at all with None."""
    return lambda problem, price: run_cascade(problem, table, plan_prices(price, problem))


def trace(
    problems: Sequence[Problem],
    policy: Policy,
    prices: Sequence[float] = QUALITY_PRICES,
    step: Callable[[], None] = lambda: None,
) -> Curve:
    """Return the train curve, averaged over problems that differ in the judge's noise.

    Averaging makes the choice of a price less a choice of lucky noise.
    """
    score, cost = np.zeros(len(prices)), np.zeros(len(prices))
    for index, price in enumerate(prices):
        outcomes = [policy(problem, price) for problem in problems]
        score[index] = np.mean([outcome.score.mean() for outcome in outcomes])
        cost[index] = np.mean([outcome.cost_usd.mean() for outcome in outcomes])
        step()
    return Curve(np.asarray(prices), score, cost)


def match_point(curve: Curve, frontier_score: float, margin_points: float, name: str = "match") -> Point:
    """Return the cheapest price that scores at least the frontier plus a margin; the best-scoring one if none does."""
    enough = curve.score >= frontier_score + margin_points / 100.0
    cheapest = np.where(enough, curve.cost_usd, np.inf).argmin()
    index = int(cheapest if enough.any() else curve.score.argmax())
    return _point(name, curve, index, is_reached=bool(enough.any()))


def budget_point(curve: Curve, most_usd: float, name: str = "budget") -> Point:
    """Return the best-scoring price that costs at most `most_usd` a call; the cheapest one if none does."""
    within = curve.cost_usd <= most_usd
    best = np.where(within, curve.score, -np.inf).argmax()
    index = int(best if within.any() else curve.cost_usd.argmin())
    return _point(name, curve, index, is_reached=bool(within.any()))


def _point(name: str, curve: Curve, index: int, *, is_reached: bool) -> Point:
    return Point(
        name=name,
        quality_price=float(curve.prices[index]),
        is_reached=is_reached,
        train_score=float(curve.score[index]),
        train_cost_usd=float(curve.cost_usd[index]),
    )
