"""Tables, as pages and as CSV: one description of columns for both."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from .markup import Markup, div, escape, join, link, tag

Record = TypeVar("Record")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column(Generic[Record]):
    """One column."""

    title: str
    shown: Callable[[Record], Any]
    """What the page shows: markup, or anything that is escaped."""
    value: Callable[[Record], Any] | None = None
    """What CSV holds; None = in a file of a whole log nothing, in one of what a page shows the words shown."""
    is_number: bool = False


def table(
    columns: Sequence[Column[Record]],
    records: Iterable[Record],
    *,
    label: str,
    mark: Callable[[Record], bool] | None = None,
    file: str | None = None,
) -> Markup:
    """Return a table that scrolls sideways where it is too wide; rows that `mark` picks are highlighted.

    With a `file` its rows can be saved as CSV under that name: all that are shown, so with every filter applied.
    """
    records = list(records)
    head = tag(
        "tr", *(tag("th", one.title, class_="r" if one.is_number else None, scope="col") for one in columns)
    )
    rows = [
        tag(
            "tr", *(tag("td", one.shown(record), class_="r" if one.is_number else None) for one in columns),
            class_="chosen" if mark is not None and mark(record) else None,
        )
        for record in records
    ]  # fmt: skip
    whole = tag("table", tag("thead", head), tag("tbody", join(rows)), aria_label=label)
    shown = div("scroll", whole, tabindex="0", role="region", aria_label=label)
    return (
        shown if file is None or not records else shown + save_link(columns, records, label=label, file=file)
    )


def save_link(
    columns: Sequence[Column[Record]], records: Iterable[Record], *, label: str, file: str
) -> Markup:
    """Return a link that saves rows as CSV; the file is inside the link, so nothing is asked for again."""
    lines = [_line(one.title for one in columns if one.title)]
    lines += [_line(_safe(_plain(one, record)) for one in columns if one.title) for record in records]
    href = f"data:text/csv;charset=utf-8,{quote(''.join(lines))}"
    return div("save", link(href, "CSV", download=f"x25-{file}.csv", aria_label=f"{label} as CSV"))


def _plain(column: Column[Record], record: Record) -> Any:
    """Return what a file holds of a cell: its value, else the words that the page shows."""
    return escape(column.shown(record)).striptags() if column.value is None else column.value(record)


def csv_head(columns: Sequence[Column[Any]]) -> str:
    """Return the first line of the columns' CSV."""
    return _line(one.title for one in columns if one.value is not None)


def csv_line(columns: Sequence[Column[Record]], record: Record) -> str:
    """Return a record's line."""
    return _line(_safe(one.value(record)) for one in columns if one.value is not None)


def _safe(value: Any) -> Any:
    """Return a value that no spreadsheet runs as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _line(values: Iterable[Any]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(list(values))
    return written.getvalue()
