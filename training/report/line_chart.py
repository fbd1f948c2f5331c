"""Lines over steps or costs, each named at its end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import words
from .markup import Safe, join, tag
from .svg import Axis, Pair, Scale, drawing, frame, polyline, scale

COLOURS = 6
"""Classes `hue-0` to `hue-5` of the style sheet; a seventh line is grey."""
_GAP = 12.0


@dataclass(frozen=True, slots=True)
class Lines:
    """What to draw."""

    label: str
    """What the chart shows, for a screen reader."""
    x_title: str
    y_title: str
    lines: Mapping[str, Sequence[Pair]]
    written_x: Callable[[float], str] = words.count
    written_y: Callable[[float], str] = lambda value: f"{value:g}"
    is_log: bool = False
    y_range: Pair | None = None
    shaded: Pair | None = None
    """Range of x drawn darker."""
    size: Pair = (470.0, 300.0)
    margin_right: float = 104.0


def line_chart(asked: Lines) -> Safe | None:
    """Return the chart, None where no line has two positions."""
    lines = {name: points for name, points in asked.lines.items() if len(points) >= 2}
    if not lines:
        return None
    width, height = asked.size
    left, right, top, bottom = 46.0, width - asked.margin_right, 26.0, height - 44.0
    every = [point for points in lines.values() for point in points]
    x = scale((one for one, _ in every), left, right, is_log=asked.is_log)
    first, last = min(one for one, _ in every), max(one for one, _ in every)
    if not asked.is_log and first < last:
        x = Scale(first, last, left, right)
    y = Scale(*asked.y_range, bottom, top) if asked.y_range else scale((one for _, one in every), bottom, top)
    drawn = [
        polyline([(x(a), y(b)) for a, b in points], _hue(place), name)
        for place, (name, points) in enumerate(lines.items())
    ]
    return drawing(
        width,
        height,
        asked.label,
        _shade(asked.shaded, x, top, bottom),
        frame(Axis(x, asked.x_title, asked.written_x), Axis(y, asked.y_title, asked.written_y)),
        *drawn,
        _ends({name: y(points[-1][1]) for name, points in lines.items()}, right, bottom),
    )


def _hue(place: int) -> str:
    return f"hue-{place}" if place < COLOURS else "hue-rest"


def _shade(shaded: Pair | None, x: Scale, top: float, bottom: float) -> Safe:
    if shaded is None:
        return Safe()
    left, right = x(shaded[0]), x(shaded[1])
    return tag("rect", x=left, y=top, width=right - left, height=bottom - top, class_="shade")


def _ends(name_to_y: Mapping[str, float], right: float, bottom: float) -> Safe:
    """Return the names beside the ends of their lines, moved apart where they would cover each other."""
    places = {name: place for place, name in enumerate(name_to_y)}
    taken: list[float] = []
    for at in sorted(name_to_y.values()):
        taken.append(max(at, taken[-1] + _GAP) if taken else at)
    room = bottom
    for place in reversed(range(len(taken))):
        taken[place] = min(taken[place], room)
        room = taken[place] - _GAP
    spots = zip(sorted(name_to_y, key=lambda name: name_to_y[name]), taken, strict=True)
    return join(
        tag("text", name, x=right + 5, y=at + 4, class_=f"label {_hue(places[name])}") for name, at in spots
    )
