"""How are tables of recorded outcomes read and written? As parquet, which the train extra brings."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any


def read_columns(path: Path, columns: list[str] | None = None) -> dict[str, list[Any]]:
    """Return the columns of a parquet file, all of them if none are named.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    parquet = _library("pyarrow.parquet")
    if not path.is_file():
        raise FileNotFoundError(f"expected recorded outcomes at {path}, found no such file")
    table: dict[str, list[Any]] = parquet.read_table(path, columns=columns).to_pydict()
    return table


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of the same keys as a parquet file; its folder is made where it is missing.

    Raises
    ------
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    parquet = _library("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(_library("pyarrow").Table.from_pylist(list(rows)), path)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("recorded outcomes need pyarrow: pip install 'x25[train]'") from error
