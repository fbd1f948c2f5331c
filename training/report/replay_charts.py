"""What does a replay look like? Regret over requests, shares and beliefs over a drift, reward at each ceiling."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import words
from .labels import name_ends
from .reading import Figures, number, numbers, part
from .svg import COLOURS, HUES, Pair, axes, inline, name_axes, set_range

_FAR = 2.0
"""Curves that end above this many times the lowest are left to the table."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What to draw."""

    label: str
    """What the chart shows, for those who do not see it."""
    x_title: str
    y_title: str
    lines: Mapping[str, Sequence[Pair]]
    size: Pair
    margin_right: float
    written_x: Callable[[float], str] = words.count
    is_log: bool = False
    y_range: Pair | None = None
    shaded: Pair | None = None
    """Range of x drawn darker."""


def line_chart(asked: Lines) -> str | None:
    """Return lines, each named at its end; None where no line has two positions."""
    lines = {name: points for name, points in asked.lines.items() if len(points) >= 2}
    if not lines:
        return None
    figure, drawn = axes(asked.size, (46, asked.margin_right, 26, 44))
    ends = []
    for row, (name, points) in enumerate(lines.items()):
        colour = HUES[row] if row < len(HUES) else COLOURS["soft"]
        drawn.plot(*zip(*points, strict=True), color=colour, lw=1.6 if row else 2.4, zorder=3 if row else 4)
        ends.append((name, points[-1][1], colour))
    x, y = zip(*(point for points in lines.values() for point in points), strict=True)
    set_range(drawn, x, y, is_log=asked.is_log, steps=3 if asked.size[0] < 400 else 6)
    if not asked.is_log and min(x) < max(x):
        drawn.set_xlim(min(x), max(x))
    drawn.set_ylim(*(asked.y_range or drawn.get_ylim()))
    drawn.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    drawn.xaxis.set_major_formatter(lambda value, _: asked.written_x(value))
    if asked.shaded is not None:
        drawn.axvspan(*asked.shaded, color=COLOURS["rule"], alpha=0.45, lw=0, zorder=0)
    name_axes(drawn, asked.x_title, asked.y_title)
    name_ends(drawn, ends)
    return inline(figure, asked.label)


def regret_chart(replay: Figures) -> tuple[str | None, list[str]]:
    """Return the chart, and the names of curves left out because they would flatten the rest."""
    held, steps = part(replay, "curves", "regret"), numbers(replay, "curves", "steps")
    lines = {name: along for name in held if (along := _along(held, steps, name))}
    if not lines:
        return None, []
    lowest = min(along[-1][1] for along in lines.values())
    near = {name: along for name, along in lines.items() if along[-1][1] <= _FAR * lowest}
    # Colours go to the first lines: this router's, then the rest, each from the least regret.
    names = sorted(near, key=lambda name: (not name.startswith("x25"), near[name][-1][1]))
    ordered = {re.sub(r"^always .*/", "always ", name): near[name] for name in names}
    finals = "; ".join(f"{name} {along[-1][1]:.1f}" for name, along in ordered.items())
    label = f"Cumulative regret over steps. At the end: {finals}."
    chart = line_chart(Lines(label, "requests", "cumulative regret", ordered, (760, 340), 170))
    return chart, [name for name in lines if name not in near]


def drift_charts(name: str, learners: Figures) -> list[tuple[str, str]]:
    """Return title and chart of each learner's shares, and of what the first one believes."""
    found = []
    for place, learner in enumerate(learners):
        for key, title in (("share", "share of requests"), ("posterior_mean", "posterior mean")):
            # What one router believes is enough to see how it notices; every learner's shares show what it did.
            if key == "share" or not place:
                chart = _drift_chart(f"{name}, {learner}", part(learners, learner, "curves"), key, title)
                found += [] if chart is None else [(f"{learner}: {title}", chart)]
    return found


def _drift_chart(name: str, curves: Figures, key: str, title: str) -> str | None:
    held, steps = part(curves, key), numbers(curves, "steps")
    if not steps:
        return None
    return line_chart(
        Lines(
            label=f"{name}: {title} of each model over steps; the model changes in the middle third.",
            x_title="requests",
            y_title=title,
            lines={_short(model): along for model in held if (along := _along(held, steps, model))},
            size=(340, 240),
            margin_right=104,
            y_range=(0.0, 1.0) if key == "share" else None,
            shaded=(max(steps[0], steps[-1] / 3), 2 * steps[-1] / 3),
        )
    )


def ladder_chart(rungs: Sequence[Any]) -> str | None:
    """Return reward at each ceiling on spending."""
    named = (("router", "reward"), ("published", "published"), ("static mixture", "static_mixture"))
    lines = {
        name: [
            (ceiling, value)
            for rung in rungs
            if (ceiling := number(rung, "ceiling_usd")) is not None
            and (value := number(rung, key)) is not None
        ]
        for name, key in named
    }
    label = "Reward at each ceiling on cost per call; figures in the table below."
    return line_chart(
        Lines(
            label,
            "ceiling, $ per call (logarithmic)",
            "reward",
            lines,
            (620, 300),
            150,
            words.usd_tick,
            is_log=True,
        )
    )


def _along(held: Figures, steps: Sequence[float], name: str) -> list[Pair]:
    values = numbers(held, name)
    return list(zip(steps, values, strict=True)) if len(values) == len(steps) else []


def _short(model: str) -> str:
    """Return the name of a model without its vendor, cut to what fits beside a chart."""
    name = model.rpartition("/")[2]
    return name if len(name) <= 16 else f"{name[:15]}…"
