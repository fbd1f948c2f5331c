"""The numbers of a demo: routed against fixed models and chance, with bootstrap intervals."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..state.savings import saved_share
from ..state.types import TIERS
from .items import Panel, Routed

RESAMPLES = 2000
WINDOWS = 6


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over prompts with its 95 % percentile bootstrap interval."""

    mean: float
    low: float
    high: float


def estimate(values: NDArray[np.float64], draws: NDArray[np.int64]) -> Estimate:
    """Return mean and interval of `values`, shape (n,), over resampled prompts `draws`, shape (resamples, n)."""
    means = values[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high))


def compare(routed: Sequence[Routed], panel: Panel, seed: int = 0) -> list[dict[str, Any]]:
    """Return a row for the router and for each baseline, all resampled on the same prompts.

    Columns: dollars per 1,000 calls and mean score with intervals, cut of cost and points of score against
    always-frontier (paired), tier mix. The router's dollars include escalations, failed attempts and the judge.
    """
    draws = np.random.default_rng(seed).integers(0, len(routed), size=(RESAMPLES, len(routed)))
    dearest = panel.tier_to_model["frontier"]
    base = _baseline(routed, dearest)
    rows: list[tuple[str, Any, dict[str, float]]] = [
        ("x25", _routed_values(routed), dict(Counter(one.tier for one in routed)))
    ]
    rows += [
        (_baseline_name(panel, tier), _baseline(routed, model), {tier: len(routed)})
        for tier, model in panel.tier_to_model.items()
    ]
    rows.append(
        (
            "random",
            _random(routed, panel),
            {tier: len(routed) / len(panel.tier_to_model) for tier in panel.tier_to_model},
        )
    )
    return [_row(name, values, base, mix, draws) for name, values, mix in rows]


def tier_mix_over_time(routed: Sequence[Routed]) -> list[dict[str, float]]:
    """Return the share of each tier and of escalated calls in six windows of equal size, in the order of completion."""
    windows = np.array_split(np.arange(len(routed)), min(WINDOWS, len(routed)))
    shares = []
    for window in windows:
        calls = [routed[index] for index in window]
        row: dict[str, float] = {tier: sum(one.tier == tier for one in calls) / len(calls) for tier in TIERS}
        row["escalated"] = sum(one.cascade_steps > 1 for one in calls) / len(calls)
        row["score"] = sum(one.score for one in calls) / len(calls)
        row["calls"] = len(calls)
        shares.append(row)
    return shares


def stages_passed(routed: Sequence[Routed]) -> list[str]:
    """Return the stages in the order they were first seen."""
    return list(dict.fromkeys(one.stage for one in routed))


def by_kind(routed: Sequence[Routed], panel: Panel) -> list[dict[str, Any]]:
    """Return score and cost per family or dataset, beside always-frontier."""
    dearest = panel.tier_to_model["frontier"]
    rows = []
    for kind in sorted({one.item.kind for one in routed}):
        calls = [one for one in routed if one.item.kind == kind]
        rows.append(
            {
                "kind": kind,
                "calls": len(calls),
                "score": float(np.mean([one.score for one in calls])),
                "frontier_score": float(np.mean([one.item.model_to_score[dearest] for one in calls])),
                "usd_per_1k": 1000 * float(np.mean([one.total_usd for one in calls])),
                "frontier_usd_per_1k": 1000
                * float(np.mean([one.item.model_to_cost_usd[dearest] for one in calls])),
            }
        )
    return rows


_Values = tuple[NDArray[np.float64], NDArray[np.float64]]


def _row(
    name: str, values: _Values, base: _Values, mix: dict[str, Any], draws: NDArray[np.int64]
) -> dict[str, Any]:
    cost, score = values
    total = sum(mix.values())
    cuts = saved_share(base[0][draws].mean(axis=1), cost[draws].mean(axis=1))
    cut_low, cut_high = np.quantile(cuts, [0.025, 0.975])
    return {
        "name": name,
        "usd_per_1k": estimate(1000 * cost, draws),
        "score": estimate(100 * score, draws),
        "cut": Estimate(
            saved_share(float(base[0].mean()), float(cost.mean())), float(cut_low), float(cut_high)
        ),
        "points": estimate(100 * (score - base[1]), draws),
        "tier_mix": {tier: mix.get(tier, 0) / total for tier in TIERS},
    }


def _routed_values(routed: Sequence[Routed]) -> _Values:
    return np.array([one.total_usd for one in routed]), np.array([one.score for one in routed])


def _baseline(routed: Sequence[Routed], model_id: str) -> _Values:
    costs = [one.item.model_to_cost_usd[model_id] for one in routed]
    return np.array(costs), np.array([one.item.model_to_score[model_id] for one in routed])


def _random(routed: Sequence[Routed], panel: Panel) -> _Values:
    """Return the expectation of a fair die over the tiers."""
    columns = [_baseline(routed, model) for model in panel.tier_to_model.values()]
    return np.mean([cost for cost, _ in columns], axis=0), np.mean([score for _, score in columns], axis=0)


def _baseline_name(panel: Panel, tier: str) -> str:
    label = {"slm": "always cheapest", "mid": "always mid", "frontier": "always frontier"}[tier]
    return f"{label} ({panel.tier_to_model[tier].rsplit('/', 1)[-1]})"
