"""HTML and SVG by composition: whatever was not built here is escaped."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_VOID = frozenset({"meta", "br", "hr", "col"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class Safe(str):
    """Markup that is already escaped. Formatting one into a string gives a plain string again: it fails safe."""

    __slots__ = ()


Child = str | float | None
"""Part of an element: `Safe` as it stands, other text escaped, None left out."""


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Safe:
    """Return an element.

    Parameters
    ----------
    children
        Contents, in order.
    attributes
        An underscore in a name becomes a hyphen, one at its end is dropped. None and False leave an attribute
        out, True writes it without a value. Lengths are rounded to a hundredth.

    Raises
    ------
    ValueError
        If the name of the element or of an attribute is none.
    """
    parts = [f"<{_checked(name)}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        known = _checked(key.rstrip("_").replace("_", "-"))
        parts.append(f" {known}" if value is True else f' {known}="{escape(_plain(value))}"')
    parts.append(">")
    if name not in _VOID:
        parts += [join(children), f"</{name}>"]
    return Safe("".join(parts))


def join(children: Iterable[Child], between: str = "") -> Safe:
    """Return the parts one after the other, with escaped text between them."""
    written = (one if isinstance(one, Safe) else escape(_plain(one)) for one in children if one is not None)
    return Safe(escape(between).join(written))


def _plain(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element or attribute")
    return name


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    gloss: str = ""
    """What the title means: shown on hover."""
    is_number: bool = True


Row = Sequence[Child]


def table(caption: str, columns: Sequence[Column], rows: Iterable[Row]) -> Safe:
    """Return a table that scrolls sideways where it does not fit; the first cell of a row is its heading."""
    head = [
        tag("th", _glossed(one), scope="col", class_="number" if one.is_number else None) for one in columns
    ]
    body = [
        tag("tr", *(_cell(place, cell, columns[place]) for place, cell in enumerate(row))) for row in rows
    ]
    drawn = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
    )
    return tag("div", drawn, class_="scroll", role="region", tabindex="0", aria_label=caption)


def _glossed(column: Column) -> Child:
    return tag("abbr", column.title, title=column.gloss) if column.gloss else column.title


def _cell(place: int, cell: Child, column: Column) -> Safe:
    if place == 0:
        return tag("th", cell, scope="row", class_="number" if column.is_number else None)
    return tag("td", cell, class_="number" if column.is_number else None)
