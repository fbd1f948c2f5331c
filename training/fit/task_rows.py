"""Which rows fit the task classifier? Prompts with their kind of work, written by hand and recorded ones."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import Encoder
from ...routing.prompt.classifier import complete_inputs
from ...routing.prompt.features import Features, extract
from ...routing.prompt.taxonomy import KINDS
from ...routing.prompt.wording import wordings
from ..data.parquet import read_columns
from ..data.recorded import is_held_out
from ..data.task_prompts import Split, pieces, task_prompts

Floats = NDArray[np.float64]

RECORDED_SOURCES = (
    "eq_bench", "llmrouter", "mmlu_pro", "paretobandit", "reasoning_gym", "routellm", "routerarena", "routerbench",
    "zeroeval",
)  # fmt: skip
"""Sources whose prompts say what kind of work they are; guessed from their benchmark, right in about nine of ten."""
MOST_PER_DATASET = 12
"""Recorded prompts taken of one benchmark a split: hundreds of one wording teach nothing more."""
RECORDED_WEIGHT = 0.25
"""Weight of all recorded prompts relative to all hand-written ones."""
_Row = tuple[str, dict[str, Any], str, str, str]  # prompt, options, kind, group, template
_RARE_KIND_POWER = 0.6  # of recorded kinds, between equal rows (0) and equal kinds (1)


@dataclass(frozen=True)
class TaskRows:
    """Labelled prompts; first axis = prompt."""

    features: list[Features]
    embeddings: NDArray[np.float32]
    """Shape (n, encoder's dimension)."""
    kind: NDArray[np.int64]
    """Index into `KINDS`."""
    group: NDArray[np.str_]
    """Template, or group of near duplicates: stays on one side of any split."""
    is_recorded: NDArray[np.bool_]
    wording: NDArray[np.object_]
    """The template, slots left open; empty for a recorded prompt."""

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.features)

    def inputs(self) -> NDArray[np.float32]:
        """Return [embedding | features | cues], shape (n, inputs)."""
        rows = [complete_inputs(*row) for row in zip(self.features, self.embeddings, strict=True)]
        return np.array(rows, dtype=np.float32)

    def wordings(self) -> list[set[str]]:
        """Return the wordings at both ends of each prompt."""
        return [wordings(features.text) for features in self.features]

    def asked(self) -> list[set[str]]:
        """Return the wordings of each prompt's template, without what filled it."""
        return [set().union(*map(wordings, pieces(wording))) for wording in self.wording]

    def take(self, index: NDArray[np.int64]) -> "TaskRows":
        """Return the prompts of these rows, in their order."""
        rest = {
            item.name: getattr(self, item.name)[index] for item in fields(self) if item.name != "features"
        }
        return TaskRows(features=[self.features[row] for row in index], **rest)

    def weights(self) -> Floats:
        """Return what each prompt counts for, mean 1.

        Hand-written: kinds equal, and within a kind templates equal. Recorded: `RECORDED_WEIGHT` in all.
        """
        weights: Floats = np.zeros(len(self))
        own = ~self.is_recorded
        pairs = list(zip(self.kind[own].tolist(), self.group[own].tolist(), strict=True))
        of_group, of_kind = Counter(pairs), Counter(kind for kind, _ in set(pairs))
        weights[own] = [1.0 / of_group[pair] / of_kind[pair[0]] for pair in pairs]
        if self.is_recorded.any():
            counts = np.bincount(self.kind[self.is_recorded], minlength=len(KINDS))
            raw = counts[self.kind[self.is_recorded]] ** -_RARE_KIND_POWER
            weights[self.is_recorded] = raw / raw.sum() * RECORDED_WEIGHT * (weights.sum() or 1.0)
        mean_one: Floats = weights / weights.mean()
        return mean_one


def joined(parts: Sequence[TaskRows]) -> TaskRows:
    """Return the rows of several parts below each other."""
    rest = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts])
        for item in fields(TaskRows)
        if item.name != "features"
    }
    return TaskRows(features=[features for part in parts for features in part.features], **rest)


def written_rows(
    split: Split, encoder: Encoder, seed: int = 0, half: Literal[0, 1] | None = None
) -> TaskRows:
    """Return the hand-written prompts of a split, with all of its fillers or half of them."""
    prompts = task_prompts(seed, split, half)
    rows = [(one.prompt, one.options, one.kind, one.template, one.wording) for one in prompts]
    return _rows(rows, encoder, is_recorded=False)


def recorded_rows(data_dir: Path, split: Split, encoder: Encoder, seed: int = 0) -> TaskRows:
    """Return recorded prompts, at most `MOST_PER_DATASET` of a benchmark, drawn by the seed.

    Raises
    ------
    FileNotFoundError
        If a source is not in `data_dir`.
    """
    rng = np.random.default_rng(seed)
    chosen: list[_Row] = []
    for source in RECORDED_SOURCES:
        path = data_dir / "prompts" / f"{source}.parquet"
        table = read_columns(path, ["dataset", "task_type", "group", "prompt"])
        is_wanted = is_held_out(table["group"]) == (split == "test")
        taken: defaultdict[str, int] = defaultdict(int)
        for row in rng.permutation(np.flatnonzero(is_wanted)):
            taken[table["dataset"][row]] += 1
            if taken[table["dataset"][row]] <= MOST_PER_DATASET:
                kind, group = table["task_type"][row], table["group"][row]
                chosen.append((table["prompt"][row], {}, kind, group, ""))
    return _rows(chosen, encoder, is_recorded=True)


def _rows(prompts: Sequence[_Row], encoder: Encoder, *, is_recorded: bool) -> TaskRows:
    features = [extract([{"role": "user", "content": prompt}], options) for prompt, options, *_ in prompts]
    kinds: tuple[str, ...] = KINDS
    return TaskRows(
        features=features,
        embeddings=encoder.embed_many([one.text for one in features]),
        kind=np.array([kinds.index(kind) for _, _, kind, _, _ in prompts], dtype=np.int64),
        group=np.array([group for *_, group, _ in prompts], dtype=np.str_),
        is_recorded=np.full(len(prompts), is_recorded),
        wording=np.array([wording for *_, wording in prompts], dtype=np.object_),
    )
