"""Scales, axes and labels of charts: SVG drawn by hand, coloured by the page's style sheet."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .markup import Safe, join, tag

Pair = tuple[float, float]

_CHARACTER_WIDTH = 6.2
_LINE_HEIGHT = 12.0
_NEAR = 8
"""Places tried right beside a mark; later ones are joined to it by a thin line."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to positions, in user units of the drawing."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return where a value lies; values outside the range lie outside the frame."""
        low, high, at = (self._inner(one) for one in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def _inner(self, value: float) -> float:
        return math.log(max(value, 1e-12)) if self.is_log else value

    def ticks(self) -> list[float]:
        """Return round values inside the range: some five, or the ones, twos and fives of decades."""
        return _log_ticks(self.low, self.high) if self.is_log else _ticks(self.low, self.high)


def scale(values: Iterable[float], start: float, end: float, *, is_log: bool = False) -> Scale:
    """Return a scale that holds all values with some room around them."""
    held = list(values) or [0.0, 1.0]
    low, high = min(held), max(held)
    if is_log:
        room = max(high / low, 1.5) ** 0.08
        return Scale(low / room, high * room, start, end, is_log=True)
    room = 0.07 * (high - low) or 0.05 * abs(high) or 1.0
    return Scale(low - room, high + room, start, end)


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 5.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(one * power for one in (1.0, 2.0, 5.0, 10.0) if one * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 12) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    leading = (1.0, 2.0, 5.0) if decades < 1.8 else (1.0, 3.0) if decades < 2.6 else (1.0,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [one * 10.0**power for power in powers for one in leading if low <= one * 10.0**power <= high]


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a frame."""

    scale: Scale
    title: str
    written: Callable[[float], str]
    """How a tick is written."""


def frame(x: Axis, y: Axis) -> Safe:
    """Return grid lines, ticks and titles; x runs right, y runs up."""
    left, right, bottom, top = x.scale.start, x.scale.end, y.scale.start, y.scale.end
    parts = []
    for value in y.scale.ticks():
        at = y.scale(value)
        parts += [
            tag("line", x1=left, x2=right, y1=at, y2=at, class_="grid"),
            tag("text", y.written(value), x=left - 6, y=at + 4, class_="tick end"),
        ]
    for value in x.scale.ticks():
        at = x.scale(value)
        parts += [
            tag("line", x1=at, x2=at, y1=bottom, y2=bottom + 4, class_="axis"),
            tag("text", x.written(value), x=at, y=bottom + 16, class_="tick middle"),
        ]
    parts += [
        tag("line", x1=left, x2=right, y1=bottom, y2=bottom, class_="axis"),
        tag("text", x.title, x=(left + right) / 2, y=bottom + 33, class_="title middle"),
        tag("text", y.title, x=left - 6, y=top - 10, class_="title"),
    ]
    return tag("g", *parts, aria_hidden="true")


def drawing(width: float, height: float, label: str, *parts: Safe, class_: str = "chart") -> Safe:
    """Return a chart that grows with its place; the label says to a screen reader what it shows."""
    return tag(
        "svg", *parts, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=label, class_=class_
    )


def dense(points: Sequence[Pair], gap: float = 7.0) -> list[Pair]:
    """Return positions along a line, no two neighbours further apart than `gap`."""
    found = list(points[:1])
    for (x0, y0), (x1, y1) in pairwise(points):
        steps = max(1, math.ceil(math.dist((x0, y0), (x1, y1)) / gap))
        found += [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(1, steps + 1)]
    return found


def polyline(points: Sequence[Pair], class_: str, title: str = "") -> Safe:
    """Return a line through positions."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return (
        tag("path", tag("title", title) if title else None, d=path, class_=f"line {class_}")
        if points
        else Safe()
    )


def marker(shape: str, at: Pair, radius: float, class_: str, title: str) -> Safe:
    """Return a mark whose hover text is the title: circle, square, diamond or triangle, all of the same area."""
    x, y = at
    half = radius * 0.886
    corners = {
        "square": ((-half, -half), (half, -half), (half, half), (-half, half)),
        "diamond": ((0, -1.253 * radius), (1.253 * radius, 0), (0, 1.253 * radius), (-1.253 * radius, 0)),
        "triangle": (
            (0, -1.55 * radius),
            (1.347 * radius, 0.778 * radius),
            (-1.347 * radius, 0.778 * radius),
        ),
    }.get(shape)
    hover = tag("title", title)
    if corners is None:
        return tag("circle", hover, cx=x, cy=y, r=radius, class_=f"mark {class_}")
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return tag("polygon", hover, points=points, class_=f"mark {class_}")


@dataclass(frozen=True, slots=True)
class Label:
    """A word beside a mark."""

    text: str
    at: Pair
    class_: str = ""


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "_Box") -> float:
        if (
            self.left >= other.right
            or other.left >= self.right
            or self.top >= other.bottom
            or other.top >= self.bottom
        ):
            return 0.0
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height


def labels(wanted: Sequence[Label], inside: tuple[float, float, float, float], avoid: Sequence[Pair]) -> Safe:
    """Return the words, each at the side of its mark where it covers least.

    Parameters
    ----------
    inside
        Left, top, right and bottom of the frame; words beyond it are cut off.
    avoid
        Positions better left free, as of other marks and along lines.
    """
    taken = [_Box(x - 4, y - 4, x + 4, y + 4) for x, y in avoid]
    taken += [_Box(one.at[0] - 5, one.at[1] - 5, one.at[0] + 5, one.at[1] + 5) for one in wanted]
    drawn = []
    for one in wanted:
        places = list(enumerate(_candidates(one)))
        # A nearer place is worth covering a little.
        place, box = min(places, key=lambda spot: _covered(spot[1], taken, inside) + 1.5 * spot[0])
        taken.extend([box] * 4)
        if place >= _NEAR:
            drawn.append(_leader(one.at, box))
        drawn.append(tag("text", one.text, x=box.left, y=box.bottom - 3, class_=f"label {one.class_}"))
    return join(drawn)


def _leader(at: Pair, box: _Box) -> Safe:
    """Return a thin line from a mark to a label that is not right beside it."""
    x, y = min(max(at[0], box.left), box.right), min(max(at[1], box.top + 2), box.bottom - 2)
    return tag("line", x1=at[0], y1=at[1], x2=x, y2=y, class_="leader")


def _candidates(label: Label) -> list[_Box]:
    """Return places around a mark, the preferred first."""
    width, (x, y) = len(label.text) * _CHARACTER_WIDTH, label.at
    found = []
    for far in (8.0, 15.0, 24.0):
        for dx, dy in ((1, 0), (0, -1), (0, 1), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1)):
            left = x + dx * far - (width if dx < 0 else width / 2 if dx == 0 else 0.0)
            middle = y + dy * (far + 3)
            found.append(_Box(left, middle - _LINE_HEIGHT / 2, left + width, middle + _LINE_HEIGHT / 2))
    return found


def _covered(box: _Box, taken: Sequence[_Box], inside: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = inside
    outside = max(0.0, left - box.left, box.right - right, top - box.top, box.bottom - bottom)
    return sum(box.overlap(other) for other in taken) + 60.0 * outside
