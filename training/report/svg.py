"""How does a chart become part of the page? Drawn by matplotlib, coloured by the page's style sheet."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

Axes: TypeAlias = Any
Figure: TypeAlias = Any
"""Matplotlib's own; it comes with the train extra, which reading this file does not need."""
Pair = tuple[float, float]

COLOURS = {
    name: f"#0000{place:02x}"
    for place, name in enumerate(
        ("ink", "soft", "rule", "panel", "accent", "slm", "mid", "frontier", "hue-3", "hue-4", "hue-5"),
        start=1,
    )
}
"""Variable of the style sheet → what stands for it while drawing: one page is read on white and on black."""
HUES = tuple(COLOURS[name] for name in ("accent", "mid", "frontier", "hue-3", "hue-4", "hue-5"))
"""Of lines, in their order; further ones are soft."""
FONT_SIZE = 11.0
_DRAWN: Any = {"svg.fonttype": "none", "svg.hashsalt": "x25"}
_XLINK = "{http://www.w3.org/1999/xlink}"
_SPACE = re.compile(r"\{.*?\}")
_FONT = re.compile(r"font-family:[^;]*;\s*")
_LONG = re.compile(r"-?\d+\.\d{3,}")
_KEPT = ("d", "x", "y", "style")


def axes(size: Pair, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """Return an empty chart of a size in points, with margins left, right, top and bottom of its frame."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - train extra
    from matplotlib.figure import Figure as Drawing  # noqa: PLC0415

    (width, height), (left, right, top, bottom) = size, margins
    figure = Drawing(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasSVG(figure)
    inner = (left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height)
    drawn = figure.add_axes(inner)
    figure.patch.set_visible(False)
    drawn.patch.set_visible(False)
    drawn.spines[["left", "right", "top"]].set_visible(False)
    drawn.spines["bottom"].set_color(COLOURS["soft"])
    drawn.grid(axis="y", color=COLOURS["rule"], linewidth=1)
    drawn.set_axisbelow(True)
    drawn.tick_params(length=0, pad=6, labelsize=FONT_SIZE, labelcolor=COLOURS["soft"], which="both")
    return figure, drawn


def set_range(
    drawn: Axes, x: Sequence[float], y: Sequence[float], *, is_log: bool = False, steps: int = 5
) -> None:
    """Hold all these values with some room around them; round ticks, some `steps` of them along x."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator  # noqa: PLC0415 - train extra

    for axis, values, most in (("x", x, steps), ("y", y, 5)):
        low, high = min(values), max(values)
        room = 0.07 * (high - low) or 0.05 * abs(high) or 1.0
        getattr(drawn, f"set_{axis}lim")(low - room, high + room)
        getattr(drawn, f"{axis}axis").set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    if is_log and min(x) > 0.0:
        span = max(max(x) / min(x), 1.5)
        drawn.set_xscale("log")
        drawn.set_xlim(min(x) / span**0.08, max(x) * span**0.08)
        subs = (1.0, 2.0, 5.0) if span < 60 else (1.0, 3.0) if span < 400 else (1.0,)
        drawn.xaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
        drawn.xaxis.set_minor_locator(NullLocator())


def write(drawn: Axes, text: str, at: Pair, **how: Any) -> None:
    """Write a text at a place of the drawing; whatever it holds is letters, not formulas."""
    letters = "".join(letter if letter.isprintable() else " " for letter in text)
    how = {"xycoords": "figure points", "fontsize": FONT_SIZE, "zorder": 5} | how
    drawn.annotate(letters, at, annotation_clip=False, parse_math=False, **how)


def name_axes(drawn: Axes, x: str, y: str) -> None:
    """Write what runs right beneath the frame, and what runs up above it."""
    drawn.set_xlabel(x, color=COLOURS["soft"], fontsize=FONT_SIZE, labelpad=6)
    how = {"xytext": (-6, 8), "xycoords": "axes fraction", "textcoords": "offset points"}
    write(drawn, y, (0, 1), color=COLOURS["soft"], **how)


def inline(figure: Figure, label: str, hover_texts: Mapping[str, str] | None = None) -> str:
    """Return a chart as an element of an HTML page: no name space, no reference, colours as variables.

    Parameters
    ----------
    label
        What it shows, for those who do not see it.
    hover_texts
        What hovering over a part says, by the part's gid.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - train extra

    with rc_context(_DRAWN), io.StringIO() as file:
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        drawn = ET.fromstring(_coloured(file.getvalue()))  # noqa: S314 - matplotlib's own
    for one in drawn.iter():
        one.tag = _SPACE.sub("", one.tag)
    shapes = {f"#{shape.get('id')}": shape for defs in drawn.iter("defs") for shape in defs.iter("path")}
    width, height = (f"{72 * side:.6g}" for side in figure.get_size_inches())
    page = ET.Element(
        "svg", {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": label, "class": "chart"}
    )
    for child in drawn:
        page.extend(_plain(child, shapes, hover_texts or {}))
    return ET.tostring(page, encoding="unicode", short_empty_elements=False)


def _coloured(text: str) -> str:
    """Return the drawing with colours as variables and without a font: the page has its own."""
    for name, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    return _FONT.sub("", text)


def _plain(
    one: ET.Element, shapes: Mapping[str, ET.Element], hover_texts: Mapping[str, str]
) -> list[ET.Element]:
    """Return an element as what it draws: shapes where they are used, and groups only where hovering says something."""
    if one.tag in {"metadata", "defs"}:
        return []
    inside = [part for child in one for part in _plain(child, shapes, hover_texts)]
    says = hover_texts.get(one.get("id", ""))
    if one.tag == "g" and says is None:
        return inside
    found = ET.Element(one.tag, {key: _short(one.attrib[key]) for key in _KEPT if key in one.attrib})
    if one.tag == "use":
        shape = shapes[one.attrib[f"{_XLINK}href"]]
        style = f"{shape.get('style', '')}; {one.get('style', '')}"
        place = _short(f"translate({one.get('x')} {one.get('y')})")
        found = ET.Element("path", {"d": _short(shape.attrib["d"]), "transform": place, "style": style})
    found.text = one.text if one.text and one.text.strip() else None
    if says is not None:
        ET.SubElement(found, "title").text = says
    found.extend(inside)
    return [found]


def _short(numbers: str) -> str:
    """Return numbers with two decimals and single spaces."""
    return " ".join(_LONG.sub(lambda found: f"{float(found[0]):.2f}", numbers).split())
