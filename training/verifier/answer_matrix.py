"""What did the answers look like? Those of one source as matrices: prompts down, models across, features deep."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...routing.answer.features import ANSWER_FEATURE_NAMES, MOST_CHARS, extract_answer
from ...routing.answer.verifier import FEATURE_VERSION
from ..data.cache import kept
from ..data.parquet import read_columns
from ..data.recorded import Recorded

Floats = NDArray[np.float64]

_LENGTH, _Z, _Z_SQUARED = map(ANSWER_FEATURE_NAMES.index, ("log_chars", "length_z", "length_z_squared"))


@dataclass(frozen=True)
class Answers:
    """What was recorded of the answers themselves. Rows are those of a `Recorded`, columns `models`."""

    models: tuple[str, ...]
    texts: Sequence[Sequence[str | None]]
    """Per prompt and model; None = not recorded."""
    values: NDArray[np.float32]
    """`extract_answer` of each, shape (prompts, models, features); NaN where there is no answer."""

    def take(self, rows: ArrayLike) -> "Answers":
        """Return the prompts of these rows, in their order."""
        index = np.asarray(rows)
        if index.dtype == np.bool_:
            index = np.flatnonzero(index)
        return replace(self, texts=[self.texts[row] for row in index], values=self.values[index])

    def choose(self, models: Sequence[str]) -> "Answers":
        """Return these models' columns, in this order.

        Raises
        ------
        ValueError
            If the answers of one of them were not recorded.
        """
        if missing := [model for model in models if model not in self.models]:
            raise ValueError(f"no answers were recorded of {', '.join(missing)}")
        columns = [self.models.index(model) for model in models]
        texts = [[row[column] for column in columns] for row in self.texts]
        return Answers(tuple(models), texts, self.values[:, columns])

    @property
    def given(self) -> NDArray[np.bool_]:
        """Which answers there are, shape (prompts, models)."""
        return np.isfinite(self.values[:, :, _LENGTH])


def read_answers(data_dir: Path, recorded: Recorded, cache: Path | None = None) -> Answers:
    """Return the answers to `recorded`'s prompts; their features are kept in `cache` under a name made of both.

    Raises
    ------
    FileNotFoundError
        If no answers of this source are in `data_dir`.
    """
    columns = read_columns(
        data_dir / "responses" / f"{recorded.source}.parquet", ["prompt_id", "model", "response"]
    )
    known = set(recorded.models)
    models = tuple(sorted(known.intersection(columns["model"])))
    row_of = {prompt_id: row for row, prompt_id in enumerate(recorded.prompt_ids.tolist())}
    column_of = {model: column for column, model in enumerate(models)}
    texts: list[list[str | None]] = [[None] * len(models) for _ in row_of]
    for prompt_id, model, text in zip(
        columns["prompt_id"], columns["model"], columns["response"], strict=True
    ):
        if prompt_id in row_of and model in column_of:
            texts[row_of[prompt_id]][column_of[model]] = text or ""
    values = kept(
        cache,
        lambda: f"answers-{recorded.source}-{_key(recorded, texts)}",
        lambda: _extract(recorded, texts, len(models)),
    )
    return Answers(models, texts, values)


def _extract(recorded: Recorded, texts: Sequence[Sequence[str | None]], models: int) -> NDArray[np.float32]:
    values = np.full((len(texts), models, len(ANSWER_FEATURE_NAMES)), np.nan, dtype=np.float32)
    for row, (prompt, answers) in enumerate(zip(recorded.prompts, texts, strict=True)):
        for column, text in enumerate(answers):
            if text is not None:
                values[row, column] = extract_answer(prompt, text, None, {}, 0.0, 0.0).values
    return values


def _key(recorded: Recorded, texts: Sequence[Sequence[str | None]]) -> str:
    digest = hashlib.sha256(repr((FEATURE_VERSION, ANSWER_FEATURE_NAMES, MOST_CHARS)).encode())
    for prompt, answers in zip(recorded.prompts, texts, strict=True):
        digest.update(repr((prompt, answers)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long each model's answers are: mean and spread of log(1 + characters), shape (models,)."""

    mean: Floats
    spread: Floats


def model_lengths(train: Answers) -> Lengths:
    """Return the lengths of the models' answers; fit it on the train side only."""
    logs = train.values[:, :, _LENGTH].astype(np.float64)
    return Lengths(np.nan_to_num(np.nanmean(logs, axis=0)), np.nan_to_num(np.nanstd(logs, axis=0)))


def with_length_z(answers: Answers, lengths: Lengths) -> Floats:
    """Return the features with the length relative to the model's filled in, shape (prompts, models, features)."""
    values = answers.values.astype(np.float64)
    spread = np.where(lengths.spread > 0.0, lengths.spread, np.inf)
    z = ((values[:, :, _LENGTH] - lengths.mean) / spread).clip(-5.0, 5.0)
    values[:, :, _Z], values[:, :, _Z_SQUARED] = z, z * z
    return values
