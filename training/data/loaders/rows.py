"""Where is a faulty row? Published rows with their places, so that whoever wrote one can find it."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..outcomes import Outcome, Outcomes


@dataclass(frozen=True, slots=True)
class Row:
    """Read named fields of one row; every error says where the row is.

    A reader takes alternative names and uses the first field that holds something; `None` and the empty string
    are nothing.
    """

    values: Mapping[str, Any]
    where: str

    def value(self, *names: str) -> Any:
        """Return the first field that holds something, else None."""
        return next((self.values[name] for name in names if self.values.get(name) not in (None, "")), None)

    def required(self, *names: str) -> Any:
        """Return the first field that holds something.

        Raises
        ------
        ValueError
            If none does.
        """
        found = self.value(*names)
        if found is None:
            raise self.error(f"a value for {' or '.join(names)}", f"a row of {sorted(self.values)}")
        return found

    def text(self, *names: str) -> str:
        """Return a required text; a number is written out.

        Raises
        ------
        ValueError
            If no field holds anything, or it holds neither text nor a number.
        """
        found = self.required(*names)
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise self.error(f"{' or '.join(names)} to be text", repr(found))
        return str(found)

    def optional_text(self, *names: str) -> str | None:
        """Return a text or None; raises as `text` does for a value of another kind."""
        return None if self.value(*names) is None else self.text(*names)

    def number(self, *names: str) -> float:
        """Return a required finite number; true and false read as 1 and 0.

        Raises
        ------
        ValueError
            If no field holds anything, or it is not a finite number.
        """
        found = self.required(*names)
        try:
            number = float(found)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self.error(f"{' or '.join(names)} to be a finite number", repr(found))
        return number

    def optional_number(self, *names: str) -> float | None:
        """Return a finite number or None; raises as `number` does for anything else."""
        return None if self.value(*names) is None else self.number(*names)

    def outcome(self, **fields: Any) -> Outcome:
        """Return the outcome of these fields.

        Raises
        ------
        ValueError
            If a field holds what an outcome cannot, such as a negative cost.
        """
        try:
            return Outcome(**fields)
        except ValueError as error:
            raise ValueError(f"{self.where}: {error}") from error

    def error(self, expected: str, got: str) -> ValueError:
        """Return the error that says where the row is, what was expected and what came."""
        return ValueError(f"{self.where}: expected {expected}, got {got}")


def collect(
    outcomes: Iterable[Outcome],
    path: Path,
    skipped: Mapping[str, int] | None = None,
    groups: Mapping[str, str] | None = None,
) -> Outcomes:
    """Return what was read from a path as one set on one scale.

    `skipped` is read after the last outcome, so the reader may still be counting when it is handed over.

    Raises
    ------
    ValueError
        If there is no outcome, saying what was skipped; if the scores cannot be scaled.
    """
    rows = tuple(outcomes)
    counted = dict(skipped or {})
    if not rows:
        raise ValueError(
            f"expected at least one outcome in {path}, got none; skipped: {counted or 'nothing'}"
        )
    try:
        return Outcomes.scaled(rows, counted, groups)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_json_lines(path: Path) -> Iterator[Row]:
    """Yield one row for each line that holds a JSON object; blank lines are passed over.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is not a JSON object, naming the file and the line.
    """
    _require(path, "a file of JSON lines")
    with path.open(encoding="utf-8") as lines:
        try:
            yield from parse_json_lines(lines, str(path))
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: expected UTF-8 text, got {error}") from error


def parse_json_lines(lines: Iterable[str], name: str) -> Iterator[Row]:
    """Yield one row for each JSON object among the lines of the file called `name`.

    Raises
    ------
    ValueError
        If a line is not a JSON object, naming the file and the line.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{name}, line {number}"
            yield as_row(parse_json(line, where), where)


def parse_json(text: str, where: str) -> Any:
    """Return a JSON value.

    Raises
    ------
    ValueError
        If the text is not JSON, saying where it stands.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: expected JSON, got {error}") from error


def as_row(value: Any, where: str) -> Row:
    """Return a JSON object as a row.

    Raises
    ------
    ValueError
        If the value is not an object.
    """
    if not isinstance(value, dict):
        message = f"{where}: expected a JSON object, got {type(value).__name__}"
        raise ValueError(message)  # noqa: TRY004 - the file is wrong, not the caller
    return Row(value, where)


def read_csv(path: Path, required: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a comma-separated file whose first line names the columns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a required column is missing, or a row cannot be read or has another number of cells.
    """
    _require(path, "a CSV file")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            require_columns(header, required, f"{path}, line 1")
            for cells in reader:
                if cells:
                    yield _csv_row(header, cells, f"{path}, line {reader.line_num}")
        except csv.Error as error:
            where = f"{path}, line {reader.line_num}"
            raise ValueError(f"{where}: expected comma-separated cells, got {error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: expected UTF-8 text, got {error}") from error


def require_columns(columns: Iterable[str], required: Iterable[str], where: str) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    ValueError
        If a required column is missing, naming those that are missing and those that are there.
    """
    found = list(columns)
    missing = [name for name in required if name not in found]
    if missing:
        raise ValueError(f"{where}: expected the columns {missing}, got {found}")


def _csv_row(header: list[str], cells: list[str], where: str) -> Row:
    if len(cells) != len(header):
        raise ValueError(f"{where}: expected {len(header)} cells, got {len(cells)}")
    return Row(dict(zip(header, cells, strict=True)), where)


def _require(path: Path, kind: str) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"expected {kind} at {path}, found no such file")
