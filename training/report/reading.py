"""What does an evaluation's JSON hold? Any part of it may be absent."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...state.types import TIERS

Figures = Mapping[str, Any]

MATCH = "match"
POINTS = ("match", "budget", "prompt_only_match", "prompt_only_budget")


def part(figures: Any, *path: str) -> Figures:
    """Return the mapping at this path, an empty one where there is none."""
    for key in path:
        figures = figures.get(key) if isinstance(figures, Mapping) else None
    return figures if isinstance(figures, Mapping) else {}


def number(figures: Any, *path: str) -> float | None:
    """Return the finite number at this path, None where there is none."""
    value = part(figures, *path[:-1]).get(path[-1]) if isinstance(figures, Mapping) else None
    return finite(value)


def finite(value: Any) -> float | None:
    """Return a finite number as it is, anything else as None; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def numbers(figures: Any, *path: str) -> list[float]:
    """Return the list of numbers at this path, an empty one where it is absent or holds anything else."""
    value = part(figures, *path[:-1]).get(path[-1]) if isinstance(figures, Mapping) else None
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    found = [finite(one) for one in value]
    return [] if None in found else [one for one in found if one is not None]


def interval(figures: Any, *path: str) -> tuple[float, float] | None:
    """Return the 95 % interval at this path, None where there is none."""
    bounds = numbers(figures, *path, "ci95")
    return (bounds[0], bounds[1]) if len(bounds) == 2 else None


def series(figures: Any, *path: str) -> list[tuple[float, float]]:
    """Return (cost_usd_per_call, score) along a curve, empty where its parts do not fit together."""
    cost, score = numbers(figures, *path, "cost_usd_per_call"), numbers(figures, *path, "score")
    return list(zip(cost, score, strict=True)) if len(cost) == len(score) else []


def panels_of(report: Figures) -> dict[str, Figures]:
    """Return panels by name: those under "panels", or of a bare mapping of panels."""
    held = report.get("panels", report)
    return {
        str(name): figures
        for name, figures in (held.items() if isinstance(held, Mapping) else ())
        if isinstance(figures, Mapping) and "operating_points" in figures
    }


def tiers_of(figures: Figures) -> list[str]:
    """Return the tiers of a mapping keyed by tier, in ladder order, unknown ones last."""
    known = [tier for tier in TIERS if tier in figures]
    return known + [str(tier) for tier in figures if tier not in TIERS]


def points_of(panel: Figures) -> dict[str, Figures]:
    """Return the frozen operating points, the known ones first."""
    held = part(panel, "operating_points")
    names = [name for name in POINTS if name in held] + [name for name in held if name not in POINTS]
    return {name: part(held, name) for name in names}


def title_of(name: str, panel: Figures) -> str:
    """Return what a panel is called on the page."""
    return str(panel.get("title") or name)


def is_judge_simulated(panel: Figures) -> bool:
    """Return whether scores of answers were made up from a stated strength; if in doubt, they were."""
    judge = part(panel, "judge")
    return "recorded_pairs" not in judge and not str(judge.get("description", "")).startswith("recorded")
