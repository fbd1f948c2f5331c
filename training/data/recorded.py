"""What did which model get on which prompt, and at what cost? One source as matrices, prompts down, models across.

A folder holds `prompts/<source>.parquet` (a row a prompt: `prompt_id`, `dataset`, `task_type`, `group`, `prompt`) and
`outcomes/<source>.parquet` (a row a prompt and model: `prompt_id`, `model`, `score`, `correct`, `cost_usd`,
`input_tokens`, `output_tokens`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .parquet import read_columns

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]

_PROMPT_COLUMNS = ["prompt_id", "dataset", "task_type", "group", "prompt"]
_OUTCOME_COLUMNS = ["prompt_id", "model", "score", "correct", "cost_usd", "input_tokens", "output_tokens"]
_MATRICES = {
    "score": "scores",
    "correct": "correct",
    "cost_usd": "costs_usd",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
}


@dataclass(frozen=True)
class Recorded:
    """One source. Matrices have shape (prompts, models); NaN = not recorded."""

    source: str
    prompt_ids: Texts
    prompts: Sequence[str]
    datasets: Texts
    task_types: Texts
    groups: Texts
    """Prompts of one group are duplicates or near duplicates: they stay on one side of any split."""
    models: tuple[str, ...]
    scores: Floats
    """Quality in [0, 1]."""
    correct: Floats
    """1 right, 0 wrong."""
    costs_usd: Floats
    input_tokens: Floats
    output_tokens: Floats

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.prompt_ids)

    def take(self, rows: ArrayLike) -> "Recorded":
        """Return the prompts of these rows, in their order."""
        index = np.asarray(rows)
        if index.dtype == np.bool_:
            index = np.flatnonzero(index)
        chosen: dict[str, Any] = {
            item.name: getattr(self, item.name)[index]
            for item in fields(self)
            if item.name not in {"source", "models", "prompts"}
        }
        return replace(self, prompts=[self.prompts[row] for row in index], **chosen)

    def columns(self, models: Sequence[str]) -> list[int]:
        """Return the columns of these models.

        Raises
        ------
        ValueError
            Naming the models that were not recorded in this source.
        """
        known = {model: column for column, model in enumerate(self.models)}
        if missing := [model for model in models if model not in known]:
            raise ValueError(
                f"source {self.source!r} has no outcomes of {', '.join(missing)}; it has {', '.join(self.models)}"
            )
        return [known[model] for model in models]

    def pass_rate(self, least_models: int = 3) -> Floats:
        """Return the share of models that were right, shape (prompts,); NaN where fewer than that answered."""
        answered = np.isfinite(self.correct).sum(axis=1)
        right = np.nansum(self.correct, axis=1)
        rate: Floats = np.where(answered >= least_models, right / np.maximum(answered, 1), np.nan)
        return rate


def read_recorded(data_dir: Path, source: str) -> Recorded:
    """Return one source of a folder of recorded outcomes.

    Raises
    ------
    FileNotFoundError
        If the source is not in `data_dir`.
    ModuleNotFoundError
        If the `train` extra is not installed.
    ValueError
        If an outcome belongs to no prompt.
    """
    prompts = read_columns(data_dir / "prompts" / f"{source}.parquet", _PROMPT_COLUMNS)
    outcomes = read_columns(data_dir / "outcomes" / f"{source}.parquet", _OUTCOME_COLUMNS)
    models = tuple(sorted(set(outcomes["model"])))
    row_of = {prompt_id: row for row, prompt_id in enumerate(prompts["prompt_id"])}
    column_of = {model: column for column, model in enumerate(models)}
    if strays := set(outcomes["prompt_id"]) - row_of.keys():
        raise ValueError(f"source {source!r} has outcomes of a prompt it lacks: {min(strays)!r}")
    rows = np.array([row_of[prompt_id] for prompt_id in outcomes["prompt_id"]], dtype=np.int64)
    columns = np.array([column_of[model] for model in outcomes["model"]], dtype=np.int64)
    return Recorded(
        source=source,
        prompt_ids=np.array(prompts["prompt_id"], dtype=np.str_),
        prompts=prompts["prompt"],
        datasets=np.array(prompts["dataset"], dtype=np.str_),
        task_types=np.array(prompts["task_type"], dtype=np.str_),
        groups=np.array(prompts["group"], dtype=np.str_),
        models=models,
        **_matrices(outcomes, rows, columns, (len(row_of), len(models))),
    )


def _matrices(
    outcomes: Mapping[str, Sequence[Any]],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
) -> dict[str, Floats]:
    matrices = {}
    for column, name in _MATRICES.items():
        matrix = np.full(shape, np.nan)
        matrix[rows, columns] = [np.nan if value is None else float(value) for value in outcomes[column]]
        matrices[name] = matrix
    return matrices


def is_held_out(groups: Sequence[str] | Texts, seed: int = 0) -> NDArray[np.bool_]:
    """Return which prompts the test side of a split holds: one group in five, by the hash of its name.

    The same group is on the same side in every source and on every machine; another seed is another split.
    """
    prefix = "" if seed == 0 else f"{seed}:"
    return np.array([_hash(f"{prefix}{group}") % 5 == 0 for group in groups], dtype=np.bool_)


def fold_of(groups: Sequence[str] | Texts, folds: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """Return the cross-validation fold of each prompt; a group is never divided."""
    return np.array([_hash(f"fold {seed}:{group}") % folds for group in groups], dtype=np.int64)


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
