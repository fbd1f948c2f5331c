"""Where does the name of a mark or a line stand? Beside it, where it covers least."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .svg import FONT_SIZE, Axes, Pair, write

Boxes = NDArray[np.float64]
"""Left, bottom, right and top of each, in points from the drawing's lower left corner; shape (boxes, 4)."""

_CHARACTER, _LINE = 0.56 * FONT_SIZE, 1.1 * FONT_SIZE
_SIDES = ((1, 0), (0, 1), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
_GAP = 7.0


@dataclass(frozen=True, slots=True)
class Label:
    """A word beside a mark; its position in points of the drawing."""

    text: str
    at: Pair
    colour: str
    is_bold: bool = False

    def places(self) -> Boxes:
        """Return boxes around the mark, the preferred first."""
        width, (x, y), found = len(self.text) * _CHARACTER, self.at, []
        for far, (dx, dy) in itertools.product((8.0, 15.0, 24.0, 36.0), _SIDES):
            left = x + dx * far - (width if dx < 0 else width / 2 if dx == 0 else 0.0)
            middle = y + dy * (far + 3)
            found.append((left, middle - _LINE / 2, left + width, middle + _LINE / 2))
        return np.array(found)


def dense(points: Sequence[Pair]) -> list[Pair]:
    """Return positions along a line, no two neighbours further apart than a few points."""
    found = [np.array(points[:1]).reshape(-1, 2)]
    for start, end in itertools.pairwise(np.array(points)):
        steps = max(1, int(np.ceil(np.hypot(*(end - start)) / _GAP)))
        found.append(start + (end - start) * np.arange(1, steps + 1)[:, None] / steps)
    return [(float(x), float(y)) for x, y in np.vstack(found)]


def place(drawn: Axes, labels: Sequence[Label], avoid: Sequence[Pair]) -> None:
    """Write labels beside their marks, each where it covers least; `avoid` are positions better left free."""
    inside = np.array(drawn.get_window_extent().extents) + np.array([0.0, 0.0, 10.0, 6.0])
    marked = [*((at, 4.0) for at in avoid), *((one.at, 5.0) for one in labels)]
    taken = np.array([(x - half, y - half, x + half, y + half) for (x, y), half in marked])
    for one in labels:
        boxes = one.places()
        low, high = boxes[:, None, :2], boxes[:, None, 2:]
        shared = np.minimum(high, taken[:, 2:]) - np.maximum(low, taken[:, :2])
        covered = shared.clip(min=0.0).prod(axis=2).sum(axis=1)
        outside = np.maximum(inside[:2] - boxes[:, :2], boxes[:, 2:] - inside[2:]).max(axis=1).clip(min=0.0)
        # A nearer place is worth covering a little.
        rank = int((covered + 60.0 * outside + 2.5 * np.arange(len(boxes))).argmin())
        taken = np.vstack([taken, *[boxes[rank]] * 4])
        leader = {"arrowstyle": "-", "color": one.colour, "lw": 0.6, "shrinkA": 0, "shrinkB": 4}
        write(
            drawn, one.text, one.at, xytext=(boxes[rank, 0], boxes[rank, 1] + 3), textcoords="figure points",
            color=one.colour, fontweight="bold" if one.is_bold else "normal",
            arrowprops=leader if rank >= len(_SIDES) else None,
        )  # fmt: skip


def name_ends(drawn: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Write names of lines beside their right ends, moved apart where they would cover each other.

    `ends` holds name, value and colour of each line.
    """
    frame = drawn.get_window_extent()
    heights = np.array([drawn.transData.transform((0.0, value))[1] for _, value, _ in ends])
    order, room = np.argsort(heights, kind="stable"), np.arange(len(ends)) * _LINE
    # Downwards from the top no name stands above its line, then upwards from the bottom none below the frame.
    below = np.minimum.accumulate((heights[order] - room)[::-1])[::-1] + room
    placed = np.maximum(np.minimum(below, frame.y1), frame.y0 + room)
    for row, y in zip(order, placed, strict=True):
        name, _, colour = ends[row]
        write(drawn, name, (frame.x1 + 5, y - 4), color=colour)
