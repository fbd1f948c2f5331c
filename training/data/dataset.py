"""Recorded outcomes: which model answered which prompt how well, read from parquet files."""

from pathlib import Path
from typing import Any

import numpy as np

SOURCES = ("zeroeval", "mmlu_pro", "routerbench", "reasoning_gym", "paretobandit")
"""Sources with at least three models a prompt and answers that can be checked."""


def load_source(data_dir: Path, source: str) -> dict[str, Any]:
    """Return one source's prompts and, in the same order, how they were answered.

    Keys: `prompt` and `group` (lists of str), `pass_rate` (share of models that were right) and `models` (how
    many answered), both of shape (n,). Prompts without outcomes are left out.

    Raises
    ------
    FileNotFoundError
        If the source is not in `data_dir`.
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    prompts = read_columns(data_dir / "prompts" / f"{source}.parquet", ["prompt_id", "group", "prompt"])
    outcomes = read_columns(data_dir / "outcomes" / f"{source}.parquet", ["prompt_id", "correct"])
    row_of = {prompt_id: row for row, prompt_id in enumerate(prompts["prompt_id"])}
    rows = np.array([row_of[prompt_id] for prompt_id in outcomes["prompt_id"]], dtype=np.int64)
    models = np.bincount(rows, minlength=len(row_of))
    right = np.bincount(
        rows, weights=np.asarray(outcomes["correct"], dtype=np.float64), minlength=len(row_of)
    )
    kept = np.flatnonzero(models)
    return {
        "prompt": [prompts["prompt"][row] for row in kept],
        "group": [prompts["group"][row] for row in kept],
        "pass_rate": right[kept] / models[kept],
        "models": models[kept],
    }


def read_columns(path: Path, columns: list[str] | None = None) -> dict[str, list[Any]]:
    """Return the columns of a parquet file, all of them if none are named.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    try:
        from pyarrow import parquet  # noqa: PLC0415 - train extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "reading recorded outcomes needs pyarrow: pip install 'x25[train]'"
        ) from error
    if not path.is_file():
        raise FileNotFoundError(f"expected recorded outcomes at {path}, found no such file")
    table: dict[str, list[Any]] = parquet.read_table(path, columns=columns).to_pydict()
    return table
