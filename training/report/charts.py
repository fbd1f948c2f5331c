"""What does each panel look like? Cost against score, and predicted against observed success."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import words
from .derived import hull
from .labels import Label, dense, place
from .reading import Figures, interval, number, part, points_of, series, tiers_of, title_of
from .svg import COLOURS, Axes, Pair, axes, inline, name_axes, set_range

_LOG_FROM = 5.0
"""Costs are drawn on a logarithmic axis when the dearest is this many times the cheapest."""
SHAPES = {"slm": "o", "mid": "s", "frontier": "D"}
_OTHERS = {
    "random": "random", "per_dataset_best_match": "by dataset", "per_dataset_best_budget": "by dataset, budget",
    "xrouter_classic": "xrouter-classic", "x25_classic": "x25-classic", "oracle": "oracle",
}  # fmt: skip
_FIXED = {"always_slm", "always_mid", "always_frontier", "best_single", "best_single_within_budget"}
"""Baselines that are one of the tiers, which have marks of their own."""
_POINTS = {
    "match": "Match", "budget": "Budget", "prompt_only_match": "no judge", "prompt_only_budget": "no judge",
}  # fmt: skip
_LARGEST, _LEAST = 13.0, 2.0
"""Radius of the bubble of the fullest bin, and of the smallest, points."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One way of choosing a model; cost in dollars per call, score in [0, 1]."""

    text: str
    at: Pair
    kind: str
    """A tier, "point", "point without a judge" or "baseline"."""
    score_interval: Pair | None = None
    cost_interval: Pair | None = None

    @property
    def colour(self) -> str:
        """Colour of mark, bars and label."""
        return COLOURS.get(self.kind) or COLOURS["accent" if self.kind.startswith("point") else "soft"]

    @property
    def description(self) -> str:
        """What hovering says."""
        return f"{self.text}: score {words.score(self.at[1])} at {words.usd(self.at[0])} per call"

    def draw(self, drawn: Axes, gid: str) -> None:
        """Draw intervals and mark."""
        x, y = self.at
        if self.score_interval:
            drawn.vlines(x, *self.score_interval, color=self.colour, lw=1.4, alpha=0.75)
        if self.cost_interval:
            low, high = drawn.get_xlim()
            ends = [min(max(one, low), high) for one in self.cost_interval]
            drawn.hlines(y, *ends, color=self.colour, lw=1.4, alpha=0.75)
        is_filled = self.kind == "point" or self.kind in SHAPES
        face = self.colour if is_filled else "none" if self.kind.startswith("point") else COLOURS["panel"]
        edge = COLOURS["panel"] if is_filled else self.colour
        radius = {"point": 6.0, "baseline": 3.6, "point without a judge": 4.5}.get(self.kind, 5.5)
        style = {"facecolor": face, "edgecolor": edge, "linewidth": 1.2 if is_filled else 1.7}
        shape = SHAPES.get(self.kind, "o")
        drawn.scatter(x, y, s=area_of(shape, radius), marker=shape, zorder=4, gid=gid, **style)


def area_of(shape: str, radius: float) -> float:
    """Return the library's size of a mark whose area is that of a circle of this radius."""
    return (2.0 * radius) ** 2 * (1.0 if shape == "o" else math.pi / 4.0)


def marks_of(panel: Figures) -> list[Mark]:
    """Return every way of choosing that has a cost and a score: tiers, baselines, frozen points."""
    held = part(panel, "baselines")
    best = part(held, "best_single").get("model")
    frontier = part(held, "always_frontier")
    found = []
    for tier in tiers_of(part(panel, "models")):
        one = part(held, f"always_{tier}")
        is_best = best is not None and one.get("model") == best
        found += _mark(f"{tier} (best single)" if is_best else tier, one, tier)
    for name in [*_OTHERS, *(name for name in held if name not in _OTHERS and name not in _FIXED)]:
        found += _mark(_OTHERS.get(name, name), part(held, name), "baseline")
    for name, point in points_of(panel).items():
        kind = "point without a judge" if name.startswith("prompt_only") else "point"
        found += _mark(_POINTS.get(name, name), point, kind, frontier)
    return found


def _mark(text: str, figures: Figures, kind: str, frontier: Figures | None = None) -> list[Mark]:
    cost, score = number(figures, "cost_usd_per_call"), number(figures, "score")
    if cost is None or score is None:
        return []
    gain, cut = interval(figures, "score_delta_points"), interval(figures, "cut")
    level, usd = number(frontier, "score"), number(frontier, "cost_usd_per_call")
    scores = (level + gain[0] / 100.0, level + gain[1] / 100.0) if gain and level is not None else None
    costs = (usd * (1.0 - cut[1]), usd * (1.0 - cut[0])) if cut and usd is not None else None
    return [Mark(text, (cost, score), kind, scores, costs)]


def frontier_chart(name: str, panel: Figures) -> str | None:
    """Return the cost-quality chart of one panel, None where nothing of it has a cost and a score."""
    marks = marks_of(panel)
    lines = {
        "mixture": _mixture(mark.at for mark in marks if mark.kind in SHAPES),
        "prompt only": series(panel, "curves", "test_prompt_only"),
        "plan": series(panel, "curves", "test"),
    }
    places = [mark.at for mark in marks] + [at for line in lines.values() for at in line]
    if not places:
        return None
    figure, drawn = axes((470, 350), (44, 14, 26, 46))
    costs = [cost for cost, _ in places]
    # A model that costs nothing has no place on a logarithmic axis.
    is_log = min(costs) > 0.0 and max(costs) >= _LOG_FROM * min(costs)
    ends = [end for mark in marks for end in mark.score_interval or ()]
    set_range(drawn, costs, [*(score for _, score in places), *ends], is_log=is_log)
    styles: dict[str, dict[str, Any]] = {
        "mixture": {"color": COLOURS["soft"], "lw": 1.6, "ls": (0, (1, 1.6))},
        "prompt only": {"color": COLOURS["accent"], "lw": 1.5, "ls": (0, (4, 2.7))},
        "plan": {"color": COLOURS["accent"], "lw": 3.0, "solid_joinstyle": "round"},
    }
    for kind, line in lines.items():
        if line:
            drawn.plot(*zip(*line, strict=True), **styles[kind])
    for row, mark in enumerate(marks):
        mark.draw(drawn, f"mark-{row}")
    drawn.xaxis.set_major_formatter(lambda value, _: words.usd_tick(value))
    drawn.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}")
    name_axes(drawn, f"cost per call, US dollars{' (logarithmic)' if is_log else ''}", "score, 0 to 100")
    _label(drawn, marks, lines)
    said = "; ".join(mark.description for mark in marks)
    label = f"Cost per call against score on {title_of(name, panel)}. {said}."
    return inline(figure, label, {f"mark-{row}": mark.description for row, mark in enumerate(marks)})


def _mixture(tiers: Iterable[Pair]) -> list[Pair]:
    """Return the best fixed lotteries, finely enough that a logarithmic axis shows how they bend."""
    corners = hull(tiers)
    traced = corners[:1]
    for left, right in itertools.pairwise(corners):
        steps = [step / 16 for step in range(1, 17)]
        traced += [(left[0] + s * (right[0] - left[0]), left[1] + s * (right[1] - left[1])) for s in steps]
    return traced


def _label(drawn: Axes, marks: list[Mark], lines: Mapping[str, list[Pair]]) -> None:
    def placed(at: Pair) -> Pair:
        x, y = drawn.transData.transform(at)
        return float(x), float(y)

    wanted: dict[tuple[str, int, int], Label] = {}
    for mark in reversed(marks):
        at = placed(mark.at)
        key = (mark.kind, round(at[0] / 3), round(at[1] / 3))
        # Marks of one kind in one place share a label.
        texts = dict.fromkeys([mark.text, *([wanted[key].text] if key in wanted else [])])
        wanted[key] = Label(" = ".join(texts), at, mark.colour, mark.kind == "point")
    avoid = [at for line in lines.values() for at in dense([placed(one) for one in line])]
    for mark in marks:
        upright = [placed((mark.at[0], end)) for end in mark.score_interval or ()]
        avoid += dense(upright)
    place(drawn, list(wanted.values()), avoid)


def calibration_chart(name: str, panel: Figures) -> str | None:
    """Return predicted against observed success by tier, areas of marks as counts; None without any bin."""
    bins = [
        (tier, one)
        for tier in tiers_of(part(panel, "tiers"))
        for one in part(panel, "tiers", tier).get("calibration") or ()
        if _is_whole(one)
    ]
    if not bins:
        return None
    figure, drawn = axes((284, 296), (40, 14, 24, 42))
    drawn.set(xlim=(0, 1), ylim=(0, 1))
    drawn.plot([0, 1], [0, 1], color=COLOURS["soft"], lw=1, ls=(0, (4, 4)))
    fullest = max(one["count"] for _, one in bins)
    hover_texts = {}
    for row, (tier, one) in enumerate(sorted(bins, key=lambda pair: -pair[1]["count"])):
        radius = max(_LEAST, _LARGEST * (one["count"] / fullest) ** 0.5)
        predicted, observed = one["mean_predicted_prob"], one["share_completed"]
        hover_texts[f"bin-{row}"] = (
            f"{tier}: predicted {words.percent(predicted)}, observed {words.percent(observed)}, {one['count']} prompts"
        )
        colour, shape = COLOURS.get(tier, COLOURS["soft"]), SHAPES.get(tier, "o")
        drawn.scatter(
            predicted, observed, s=area_of(shape, radius), marker=shape, facecolor=(colour, 0.55), edgecolor=colour,
            lw=1.4, gid=f"bin-{row}", clip_on=False, zorder=3,
        )  # fmt: skip
    for axis in (drawn.xaxis, drawn.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    name_axes(drawn, "predicted success, %", "observed, %")
    ece, seed = (words.plain(number(panel, *path), 3) for path in (("ece",), ("seed_form", "ece")))
    label = f"Predicted against observed success on {title_of(name, panel)}, by tier"
    return inline(figure, f"{label}; calibration error {ece}, seed form {seed}", hover_texts)


def _is_whole(one: Any) -> bool:
    known = all(number(one, key) is not None for key in ("mean_predicted_prob", "share_completed"))
    return known and (number(one, "count") or 0.0) > 0.0
