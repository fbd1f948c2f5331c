"""Tables, as pages and as CSV: one description of columns for both."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .markup import Markup, div, join, tag

Record = TypeVar("Record")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column(Generic[Record]):
    """One column."""

    title: str
    shown: Callable[[Record], Any]
    """What the page shows: markup, or anything that is escaped."""
    value: Callable[[Record], Any] | None = None
    """What CSV holds; None = the column is the page's alone."""
    is_number: bool = False


def table(
    columns: Sequence[Column[Record]],
    records: Iterable[Record],
    *,
    label: str,
    mark: Callable[[Record], bool] | None = None,
    class_: str | None = None,
) -> Markup:
    """Return a table that scrolls sideways where it is too wide; rows that `mark` picks are highlighted."""
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
    whole = tag("table", tag("thead", head), tag("tbody", join(rows)), class_=class_, aria_label=label)
    return div("scroll", whole, tabindex="0", role="region", aria_label=label)


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
