"""Cost against quality: what each way of choosing a model costs and scores on one panel."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import words
from .derived import hull
from .markup import Safe, join, tag
from .reading import Figures, interval, number, part, points_of, series, tiers_of, title_of
from .svg import Axis, Label, Pair, Scale, dense, drawing, frame, labels, marker, polyline, scale

WIDTH, HEIGHT = 470.0, 350.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 456.0, 26.0, 304.0
_LOG_FROM = 5.0
"""Costs are drawn on a logarithmic axis when the dearest is this many times the cheapest."""
SHAPES = {"slm": "circle", "mid": "square", "frontier": "diamond"}
_SHORT = {
    "random": "random",
    "per_dataset_best_match": "by dataset",
    "per_dataset_best_budget": "by dataset, budget",
    "xrouter_classic": "xrouter-classic",
    "x25_classic": "x25-classic",
    "oracle": "oracle",
}
_POINT_SHORT = {
    "match": "Match",
    "budget": "Budget",
    "prompt_only_match": "no judge",
    "prompt_only_budget": "no judge",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One way of choosing a model; cost in dollars per call, score in [0, 1]."""

    text: str
    at: Pair
    class_: str
    shape: str = "circle"
    radius: float = 4.0
    score_interval: Pair | None = None
    cost_interval: Pair | None = None


def frontier_chart(name: str, panel: Figures) -> Safe | None:
    """Return the chart of one panel, None where nothing of it has a cost and a score."""
    marks = [*_tiers(panel), *_baselines(panel), *_points(panel)]
    curves = {
        "prompt-only": series(panel, "curves", "test_prompt_only"),
        "plan": series(panel, "curves", "test"),
    }
    mixture = _mixture(panel)
    places = [*(mark.at for mark in marks), *(pair for curve in curves.values() for pair in curve)]
    if not places:
        return None
    costs = [cost for cost, _ in places]
    ends = [end for mark in marks for end in mark.score_interval or ()]
    # A model that costs nothing has no place on a logarithmic axis.
    is_log = min(costs) > 0.0 and max(costs) >= _LOG_FROM * min(costs)
    x = scale(costs, _LEFT, _RIGHT, is_log=is_log)
    y = scale([*(score for _, score in places), *ends], _BOTTOM, _TOP)
    lines = [_line(mixture, x, y, "mixture", "Static mixture")]
    lines += [_line(curve, x, y, kind, kind) for kind, curve in curves.items()]
    title = f"cost per call, US dollars{' (logarithmic)' if is_log else ''}"
    return drawing(
        WIDTH,
        HEIGHT,
        _described(title_of(name, panel), marks),
        frame(Axis(x, title, words.usd_tick), Axis(y, "score, 0 to 100", lambda value: f"{100 * value:.4g}")),
        *lines,
        *(_bars(mark, x, y) for mark in marks),
        *(
            marker(mark.shape, _placed(mark.at, x, y), mark.radius, mark.class_, _told(mark))
            for mark in marks
        ),
        _labelled(marks, [mixture, *curves.values()], x, y),
    )


def _tiers(panel: Figures) -> list[Mark]:
    best = part(panel, "baselines", "best_single").get("model")
    found = []
    for tier in tiers_of(part(panel, "models")):
        held = part(panel, "baselines", f"always_{tier}")
        text = f"{tier} (best single)" if best is not None and held.get("model") == best else tier
        found += _mark(text, held, f"tier {tier}", shape=SHAPES.get(tier, "circle"), radius=5.5)
    return found


def _baselines(panel: Figures) -> list[Mark]:
    held = part(panel, "baselines")
    unlike = [name for name in held if name not in words.BASELINE_NAMES]
    return [
        mark
        for name in [*_SHORT, *unlike]
        for mark in _mark(_SHORT.get(name, name), part(held, name), "baseline", radius=3.6)
    ]


def _points(panel: Figures) -> list[Mark]:
    frontier_score = number(panel, "baselines", "always_frontier", "score")
    frontier_usd = number(panel, "baselines", "always_frontier", "cost_usd_per_call")
    found = []
    for name, point in points_of(panel).items():
        gain, cut = interval(point, "score_delta_points"), interval(point, "cut")
        scores = costs = None
        if gain and frontier_score is not None:
            scores = (frontier_score + gain[0] / 100.0, frontier_score + gain[1] / 100.0)
        if cut and frontier_usd is not None:
            costs = (frontier_usd * (1.0 - cut[1]), frontier_usd * (1.0 - cut[0]))
        kind = "point-prompt" if name.startswith("prompt_only") else "point"
        text = _POINT_SHORT.get(name, name)
        found += _mark(
            text,
            point,
            kind,
            radius=4.5 if kind != "point" else 6.0,
            score_interval=scores,
            cost_interval=costs,
        )
    return found


def _mark(  # noqa: PLR0913 - how a mark looks
    text: str,
    figures: Figures,
    class_: str,
    *,
    shape: str = "circle",
    radius: float = 4.0,
    score_interval: Pair | None = None,
    cost_interval: Pair | None = None,
) -> list[Mark]:
    cost, score = number(figures, "cost_usd_per_call"), number(figures, "score")
    if cost is None or score is None:
        return []
    return [Mark(text, (cost, score), class_, shape, radius, score_interval, cost_interval)]


def _mixture(panel: Figures) -> list[Pair]:
    """Return the best fixed lotteries, finely enough that a logarithmic axis shows how they bend."""
    tiers = [mark.at for mark in _tiers(panel)]
    corners = hull(tiers)
    traced = corners[:1]
    for left, right in itertools.pairwise(corners):
        steps = [step / 16 for step in range(1, 17)]
        traced += [(left[0] + s * (right[0] - left[0]), left[1] + s * (right[1] - left[1])) for s in steps]
    return traced


def _placed(at: Pair, x: Scale, y: Scale) -> Pair:
    return x(at[0]), y(at[1])


def _line(curve: Sequence[Pair], x: Scale, y: Scale, class_: str, title: str) -> Safe:
    return polyline([_placed(at, x, y) for at in curve], class_, title)


def _bars(mark: Mark, x: Scale, y: Scale) -> Safe:
    """Return the bars of a mark's 95 % intervals, cut off at the frame."""
    at = _placed(mark.at, x, y)
    parts = []
    if mark.score_interval:
        low, high = (y(one) for one in mark.score_interval)
        parts.append(tag("line", x1=at[0], x2=at[0], y1=low, y2=high, class_=f"bar {mark.class_}"))
    if mark.cost_interval:
        left, right = (min(max(x(one), _LEFT), _RIGHT) for one in mark.cost_interval)
        parts.append(tag("line", x1=left, x2=right, y1=at[1], y2=at[1], class_=f"bar {mark.class_}"))
    return join(parts)


def _labelled(marks: Sequence[Mark], curves: Iterable[Sequence[Pair]], x: Scale, y: Scale) -> Safe:
    wanted: dict[tuple[str, int, int], Label] = {}
    for mark in reversed(marks):
        at = _placed(mark.at, x, y)
        key = (mark.class_, round(at[0] / 3), round(at[1] / 3))
        # Marks of one kind in one place share a label.
        texts = dict.fromkeys([mark.text, *([wanted[key].text] if key in wanted else [])])
        wanted[key] = Label(" = ".join(texts), at, mark.class_)
    avoid = [at for curve in curves for at in dense([_placed(one, x, y) for one in curve])]
    avoid += [at for mark in marks for at in _along_bars(mark, x, y)]
    return labels(list(wanted.values()), (_LEFT, _TOP - 6, _RIGHT + 10, _BOTTOM), avoid)


def _along_bars(mark: Mark, x: Scale, y: Scale) -> list[Pair]:
    at = _placed(mark.at, x, y)
    upright = [(at[0], y(end)) for end in mark.score_interval or ()]
    level = [(min(max(x(end), _LEFT), _RIGHT), at[1]) for end in mark.cost_interval or ()]
    return dense(upright) + dense(level)


def _told(mark: Mark) -> str:
    return f"{mark.text}: score {words.score(mark.at[1])} at {words.usd(mark.at[0])} per call"


def _described(title: str, marks: Sequence[Mark]) -> str:
    listed = "; ".join(_told(mark) for mark in marks)
    return f"Cost per call against score on {title}. {listed}."
