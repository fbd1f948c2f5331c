"""What did RouterBench record? Wide tables (0-shot, 5-shot) with a column a model, or the raw one with a row a model.

Source: Hu et al., RouterBench, arXiv 2403.12031.
"""

import ast
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..outcomes import Outcome, Outcomes
from ..parquet import read_columns
from .rows import Row, collect, read_csv, require_columns

SOURCE = "routerbench"
REQUIRED = ("sample_id", "prompt", "eval_name")
RAW = ("model_name", "performance")
"""Columns by which the raw table is known."""
_NOT_MODELS = {*REQUIRED, "oracle_model_to_route_to"}


def load_routerbench(path: Path) -> Outcomes:
    """Return the outcomes of a RouterBench table in parquet or CSV.

    A wide table has a score column named after each model and `<model>|total_cost` beside it, in USD; other
    columns with a `|` are not read. The raw table has `model_name`, `performance` and `cost`. Empty scores are
    skipped and counted.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the table is parquet and the `train` extra is not installed.
    ValueError
        If the file is of another kind, a column is missing or a cell cannot be read, naming the row.
    """
    skipped: dict[str, int] = {}
    return collect(_outcomes(_read(path), skipped), path, skipped)


def _read(path: Path) -> Iterator[Row]:
    if path.suffix == ".csv":
        return read_csv(path, REQUIRED)
    if path.suffix == ".parquet":
        return _read_parquet(path)
    if path.suffix in {".pkl", ".pickle"}:
        # Opening a pickle runs whatever code its author put there.
        raise ValueError(
            f"expected a .parquet or .csv table, got the pickle {path}: convert it where you trust it"
        )
    raise ValueError(f"expected a .parquet or .csv table, got {path}")


def _read_parquet(path: Path) -> Iterator[Row]:
    table = read_columns(path)
    require_columns(table, REQUIRED, str(path))
    for number, cells in enumerate(zip(*table.values(), strict=True), start=1):
        yield Row(dict(zip(table, cells, strict=True)), f"{path}, row {number}")


def _outcomes(rows: Iterable[Row], skipped: dict[str, int]) -> Iterator[Outcome]:
    for row in rows:
        prompt = _prompt(row.required("prompt"))
        for model_id, score, cost in _answers(row):
            if _is_empty(row.value(score)):
                skipped["no score"] = skipped.get("no score", 0) + 1
                continue
            yield row.outcome(
                prompt_id=row.text("sample_id"),
                prompt=prompt,
                model_id=model_id,
                score=row.number(score),
                cost_usd=None if _is_empty(row.value(cost)) else row.number(cost),
                task=row.text("eval_name"),
                source=SOURCE,
            )


def _answers(row: Row) -> Iterator[tuple[str, str, str]]:
    """Yield each model of a row with the names of its score and its cost column."""
    if all(name in row.values for name in RAW):
        yield row.text("model_name"), "performance", "cost"
        return
    models = [name for name in row.values if name not in _NOT_MODELS and "|" not in name]
    if not models:
        raise row.error("a score column for each model", f"the columns {list(row.values)}")
    yield from ((model, model, f"{model}|total_cost") for model in models)


def _prompt(value: Any) -> str:
    """Return the turns of a prompt on lines of their own; tables hold them as a list or written out as one."""
    turns = value
    if isinstance(value, str) and value.startswith("["):
        try:
            turns = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return value  # a prompt that merely begins with a bracket
    if isinstance(turns, list) and all(isinstance(turn, str) for turn in turns):
        return "\n".join(turns)
    return str(value)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
