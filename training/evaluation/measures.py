"""What did a policy score and cost? Against always asking the frontier, with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...state.savings import saved_share
from ...state.types import TIERS
from .cascade import Outcome
from .fit import Side

Floats = NDArray[np.float64]

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Result:
    """Per-prompt means over draws of a judge's noise; arrays of shape (prompts,)."""

    score: Floats
    cost_usd: Floats
    judge_calls: float
    tier_share: tuple[float, ...]
    """Share of answers returned from each tier, in ladder order."""
    score_by_draw: tuple[float, ...]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Result":
        """Return the mean of the same policy on the same prompts over several draws."""
        tiers = np.concatenate([outcome.tier for outcome in outcomes])
        share = np.bincount(tiers, minlength=len(TIERS)) / len(tiers)
        return cls(
            score=np.mean([outcome.score for outcome in outcomes], axis=0),
            cost_usd=np.mean([outcome.cost_usd for outcome in outcomes], axis=0),
            judge_calls=float(np.mean([outcome.judge_calls.mean() for outcome in outcomes])),
            tier_share=tuple(float(one) for one in share),
            score_by_draw=tuple(float(outcome.score.mean()) for outcome in outcomes),
        )


def static_mixture(scores: Floats, costs_usd: Floats, cost_usd: float) -> float:
    """Return the best score any fixed lottery over the columns has at this mean cost, with hindsight.

    The upper concave hull of (mean cost, mean score) of the columns, shape (prompts, tiers or arms); beyond its best
    point more money buys nothing.
    """
    cost, score = costs_usd.mean(axis=0), scores.mean(axis=0)
    best = score[cost <= cost_usd].max(initial=-np.inf)
    for low in range(len(cost)):
        for high in range(len(cost)):
            if cost[low] <= cost_usd < cost[high]:
                share = (cost_usd - cost[low]) / (cost[high] - cost[low])
                best = max(best, score[low] + share * (score[high] - score[low]))
    # Cheaper than the cheapest, no lottery exists; the cheapest is the nearest.
    return float(best if np.isfinite(best) else score[cost.argmin()])


def summarise(result: Result, side: Side, rng: np.random.Generator) -> dict[str, Any]:
    """Return one point's figures; intervals are 95 % bootstrap over prompts."""
    frontier_score, frontier_cost = side.scores[:, -1], side.costs_usd[:, -1]
    gain = result.score - frontier_score
    gains, cuts = _resampled(gain, result.cost_usd, frontier_cost, rng)
    score, cost = float(result.score.mean()), float(result.cost_usd.mean())
    mixture = static_mixture(side.scores, side.costs_usd, cost)
    return {
        "score": score,
        "score_delta_points": {"value": 100.0 * float(gain.mean()), "ci95": _interval(100.0 * gains)},
        "cost_usd_per_call": cost,
        "cut": {"value": saved_share(float(frontier_cost.mean()), cost), "ci95": _interval(cuts)},
        "judge_calls_per_request": result.judge_calls,
        "tier_share": dict(zip(TIERS, result.tier_share, strict=True)),
        "static_mixture_score": mixture,
        "over_static_mixture_points": 100.0 * (score - mixture),
        "score_sd_over_judge_draws": float(np.std(result.score_by_draw)),
        "is_prompt_dependent": sum(share >= 0.10 for share in result.tier_share) >= 2,
    }


def by_task_type(result: Result, side: Side, rng: np.random.Generator) -> dict[str, Any]:
    """Return points against always-frontier and cut of each task type with at least 30 prompts."""
    figures: dict[str, Any] = {}
    for task_type in np.unique(side.recorded.task_types):
        here = side.recorded.task_types == task_type
        if here.sum() < 30:
            continue
        gain = result.score[here] - side.scores[here, -1]
        cost, frontier_cost = result.cost_usd[here], side.costs_usd[here, -1]
        gains, cuts = _resampled(gain, cost, frontier_cost, rng)
        figures[str(task_type)] = {
            "prompts": int(here.sum()),
            "score_delta_points": {"value": 100.0 * float(gain.mean()), "ci95": _interval(100.0 * gains)},
            "cut": {
                "value": saved_share(float(frontier_cost.mean()), float(cost.mean())),
                "ci95": _interval(cuts),
            },
        }
    return figures


def _resampled(
    gain: Floats, cost: Floats, frontier_cost: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return mean gain and cut of each resample of the prompts, both shape (RESAMPLES,)."""
    gains, cuts = np.empty(RESAMPLES), np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        rows = rng.integers(len(gain), size=len(gain))
        gains[index] = gain[rows].mean()
        cuts[index] = saved_share(float(frontier_cost[rows].mean()), float(cost[rows].mean()))
    return gains, cuts


def _interval(values: Floats) -> list[float]:
    return [float(bound) for bound in np.quantile(values, [0.025, 0.975])]
