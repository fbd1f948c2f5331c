"""What follows from the figures? Which saving may be claimed, and the two measures of LLMRouterBench."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ...state.savings import saved_share
from .reading import MATCH, Figures, interval, number, part, points_of, series

Kind = Literal["claimed", "unproven", "worse", "no_saving", "not_reached", "unknown"]

LARGE_CUT = 0.79
"""The cut a seed system announces for most task types."""
MARK_COST_SAVE, MARK_PERF_GAIN = 0.317, 0.04
"""Best router of LLMRouterBench (arXiv 2601.07206), on other models and other prompts than these."""
LEAST_CUT = 0.005
"""An interval that reaches below half a per cent of the bill shows no saving."""
_NOTHING = 1e-9


def finding_of(point: Figures) -> Kind:
    """Return what a frozen point shows against always asking the frontier model.

    A saving is claimed where train reached what was asked and, at 95 %, cost is lower and quality is not.
    """
    cut, gain = interval(point, "cut"), interval(point, "score_delta_points")
    if point.get("is_reached_on_train") is False:
        return "not_reached"
    if cut is None or gain is None:
        return "unknown"
    if cut[0] < LEAST_CUT:
        return "no_saving"
    if gain[1] < -_NOTHING:
        return "worse"
    return "claimed" if gain[0] >= -_NOTHING else "unproven"


def match_of(panel: Figures) -> Figures:
    """Return the frozen point that is to match the frontier model."""
    return part(panel, "operating_points", MATCH)


@dataclass(frozen=True, slots=True)
class MatchedSaving:
    """PerfGain and CostSave, as shares, of one panel; None where no point qualifies."""

    perf_gain: float | None
    """Of the best-scoring frozen point."""
    saved_share_frozen: float | None
    """Of the cheapest frozen point that scores at least as high as the best single model."""
    saved_share_hindsight: float | None
    """The same with the points of the test curves allowed, whose prices nobody could have chosen beforehand."""


def matched_saving(panel: Figures) -> MatchedSaving:
    """Return PerfGain = best score / best single's - 1 and CostSave = 1 - cost / best single's cost.

    Source: LLMRouterBench, arXiv 2601.07206; the best single model is chosen on train. Which of the frozen points
    is best or cheapest is read off test.
    """
    single_score = number(panel, "baselines", "best_single", "score")
    single_usd = number(panel, "baselines", "best_single", "cost_usd_per_call")
    if not single_score or not single_usd:
        return MatchedSaving(None, None, None)
    frozen = [
        (cost, score)
        for point in points_of(panel).values()
        if (cost := number(point, "cost_usd_per_call")) is not None
        and (score := number(point, "score")) is not None
    ]
    traced = [*series(panel, "curves", "test"), *series(panel, "curves", "test_prompt_only")]
    return MatchedSaving(
        perf_gain=max(score for _, score in frozen) / single_score - 1.0 if frozen else None,
        saved_share_frozen=_cost_save(frozen, single_score, single_usd),
        saved_share_hindsight=_cost_save([*frozen, *traced], single_score, single_usd),
    )


def _cost_save(points: Iterable[tuple[float, float]], single_score: float, single_usd: float) -> float | None:
    enough = [cost for cost, score in points if score >= single_score - _NOTHING]
    return saved_share(single_usd, min(enough)) if enough else None


@dataclass(frozen=True, slots=True)
class LargeCuts:
    """How many rows of task types save at least `LARGE_CUT`."""

    rows: int
    large: int
    without_loss: int
    """Of the large: score not below the frontier's."""
    loss_excluded: int
    """Of these: nor the lower end of its interval."""


def large_cuts(panels: Iterable[Figures]) -> LargeCuts:
    """Return how often a task type of a panel saves at least `LARGE_CUT`, with what quality."""
    types = [part(panel, "by_task_type", name) for panel in panels for name in part(panel, "by_task_type")]
    large = [one for one in types if (number(one, "cut", "value") or 0.0) >= LARGE_CUT]
    kept = [
        one
        for one in large
        if (gain := number(one, "score_delta_points", "value")) is not None and gain >= 0.0
    ]
    sure = [one for one in kept if (bounds := interval(one, "score_delta_points")) and bounds[0] >= -_NOTHING]
    return LargeCuts(len(types), len(large), len(kept), len(sure))


def hull(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of the best fixed mixtures: the upper concave hull of (cost, score), rising in both."""
    corners: list[tuple[float, float]] = []
    for cost, score in sorted(points):
        if corners and score <= corners[-1][1]:
            continue
        while len(corners) >= 2 and _slope(corners[-2], corners[-1]) <= _slope(corners[-2], (cost, score)):
            corners.pop()
        if corners and corners[-1][0] == cost:
            corners.pop()
        corners.append((cost, score))
    return corners


def _slope(left: tuple[float, float], right: tuple[float, float]) -> float:
    run = right[0] - left[0]
    return (right[1] - left[1]) / run if run else float("inf")
