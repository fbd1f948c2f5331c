"""What do outcomes look like to a fit? Arrays: prompts in one axis, answers in another, inputs of a difficulty head."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import open_encoder
from ...routing.belief.irt import COMPLETION_THRESHOLD, LEAST_MODELS, PASS_RATE_FLOOR, Profile
from ..data.design import EmbedsMany, design_matrix
from ..data.loaders import KINDS, load, parse_dataset_argument
from ..data.outcomes import Outcomes
from ..data.synthetic_outcomes import SOURCE as SYNTHETIC
from ..data.synthetic_outcomes import synthetic_outcomes
from .predictor import FEATURES_ONLY, NoEncoder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[int, int], None]
"""Told how many prompts are read, and of how many."""

DATASET_KINDS = (*KINDS, SYNTHETIC)
_CHUNK_PROMPTS = 1_024


@dataclass(frozen=True, slots=True)
class Labels:
    """How outcomes become labels."""

    threshold: float = COMPLETION_THRESHOLD
    """Score from which an answer counts as having completed its prompt."""
    passrate_floor: float = PASS_RATE_FLOOR
    """A prompt that nobody or everybody completes keeps a finite difficulty."""
    least_models: int = LEAST_MODELS
    """Distinct models that must have answered a prompt for its pass rate to count."""

    def __post_init__(self) -> None:
        """Check ranges; raises ValueError naming the value that is out of range."""
        if not 0.0 < self.threshold <= 1.0:
            raise ValueError(f"expected threshold in (0, 1], got {self.threshold}")
        if not 0.0 < self.passrate_floor < 0.5:
            raise ValueError(f"expected passrate_floor in (0, 0.5), got {self.passrate_floor}")
        if self.least_models < 1:
            raise ValueError(f"expected least_models to be at least 1, got {self.least_models}")


@dataclass(frozen=True)
class Corpus:
    """Prompts and answers. `prompt`, `model` and what follows have one entry an answer, the rest one a prompt."""

    prompt_ids: Sequence[str]
    texts: Sequence[str]
    groups: Sequence[str]
    """Near duplicates share one; they stay on one side of any split and in one fold."""
    sources: NDArray[np.str_]
    tasks: NDArray[np.str_]
    """Empty where not said."""
    models: tuple[str, ...]
    prompt: Ints
    """Row of the prompt."""
    model: Ints
    """Place in `models`."""
    completed: Floats
    """1 or 0."""
    cost_usd: Floats
    """NaN = not recorded."""
    profiled: NDArray[np.bool_]
    """Whether the answer is of a model that may have published benchmarks; an agent's is not."""

    def difficulty_targets(self, labels: Labels, without: NDArray[np.bool_] | None = None) -> Floats:
        """Return -logit of each prompt's pass rate, shape (prompts,); NaN below the least number of models.

        Parameters: `without` marks answers that do not count, shape (answers,).
        """
        kept = np.ones(len(self.prompt), dtype=np.bool_) if without is None else ~without
        size = len(self.texts)
        asked = np.bincount(self.prompt[kept], minlength=size)
        passed = np.bincount(self.prompt[kept], weights=self.completed[kept], minlength=size)
        distinct = self._distinct_models(kept)
        rate = (passed / np.maximum(asked, 1)).clip(labels.passrate_floor, 1.0 - labels.passrate_floor)
        return np.where(distinct >= labels.least_models, np.log((1.0 - rate) / rate), np.nan)

    def _distinct_models(self, kept: NDArray[np.bool_]) -> Ints:
        """Return how many models answered each prompt, counting the kept answers, shape (prompts,)."""
        pairs = np.unique(self.prompt[kept] * len(self.models) + self.model[kept])
        return np.bincount(pairs // len(self.models), minlength=len(self.texts))

    def answered_by(self, least_models: int) -> "Corpus":
        """Return the prompts that at least so many models answered, with their answers.

        Raises
        ------
        ValueError
            If there is none.
        """
        enough = self._distinct_models(np.ones(len(self.prompt), dtype=np.bool_)) >= least_models
        if not enough.any():
            raise ValueError(f"expected prompts answered by at least {least_models} models, got none")
        rows: list[int] = np.flatnonzero(enough).tolist()
        place = np.cumsum(enough) - 1
        kept = enough[self.prompt]
        answers = {name: getattr(self, name)[kept] for name in ("model", "completed", "cost_usd", "profiled")}
        return replace(
            self,
            prompt_ids=[self.prompt_ids[row] for row in rows],
            texts=[self.texts[row] for row in rows],
            groups=[self.groups[row] for row in rows],
            sources=self.sources[rows],
            tasks=self.tasks[rows],
            prompt=place[self.prompt[kept]],
            **answers,
        )

    def capabilities(self, profiles: Mapping[str, Profile]) -> Floats:
        """Return the published capability behind each answer, shape (answers,); NaN where there is none."""
        known = [
            profiles[name].capability if name in profiles else None for name in self.models
        ]  # an unprofiled subject may share the name of a model, so the answer's own mark decides as well
        of_model = np.array([np.nan if one is None else one for one in known])
        return np.where(self.profiled, of_model[self.model], np.nan)

    def own_capabilities(self, reference: "Corpus") -> Floats:
        """Return how often each answer's model completed prompts of the source's *other* tasks; shape (answers,).

        Stands in for published benchmarks. Counted among the `reference`, the training side; NaN where it holds
        none of that model, in that source, of another task.
        """
        seen = _counted(reference)
        own = np.full(len(self.prompt), np.nan)
        of_source: dict[tuple[str, str], list[str]] = {}
        for model, source, task in seen:
            of_source.setdefault((model, source), []).append(task)
        keys = list(zip(self.model, self.sources[self.prompt], self.tasks[self.prompt], strict=True))
        known: dict[tuple[str, str, str], float] = {}
        for row, (column, source, task) in enumerate(keys):
            key = (self.models[column], str(source), str(task))
            if key not in known:
                others = [seen[*key[:2], one] for one in of_source.get(key[:2], ()) if one != key[2]]
                asked = sum(count for _, count in others)
                known[key] = sum(passed for passed, _ in others) / asked if asked else np.nan
            own[row] = known[key]
        return own

    def data_hash(self) -> str:
        """Return the SHA-256 of the answers, whatever their order."""
        rows = sorted(
            f"{self.prompt_ids[prompt]}\x1f{self.models[model]}\x1f{completed:g}"
            for prompt, model, completed in zip(self.prompt, self.model, self.completed, strict=True)
        )
        return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()


def _counted(corpus: Corpus) -> dict[tuple[str, str, str], tuple[float, int]]:
    """Return how many prompts of a source's task a model completed, and was asked."""
    counted: dict[tuple[str, str, str], tuple[float, int]] = {}
    places = zip(corpus.sources[corpus.prompt], corpus.tasks[corpus.prompt], strict=True)
    for (source, task), column, completed in zip(places, corpus.model, corpus.completed, strict=True):
        key = (corpus.models[column], str(source), str(task))
        passed, asked = counted.get(key, (0.0, 0))
        counted[key] = (passed + float(completed), asked + 1)
    return counted


def load_datasets(arguments: Sequence[str]) -> Outcomes:
    """Return the outcomes of `kind:path` arguments as one set; `synthetic:SEED` is the bundled corpus.

    Raises
    ------
    FileNotFoundError
        If there is nothing at a path.
    ValueError
        If there is no argument, a kind is unknown, or what is there cannot be read.
    """
    if not arguments:
        raise ValueError(f"expected at least one dataset, kind:path, of the kinds {', '.join(DATASET_KINDS)}")
    return Outcomes.join(_load(argument) for argument in arguments)


def _load(argument: str) -> Outcomes:
    kind, _, seed = argument.partition(":")
    if kind == SYNTHETIC:
        if not seed.isdecimal():
            raise ValueError(f"expected {SYNTHETIC}:SEED with a whole number, got {argument!r}")
        return synthetic_outcomes(int(seed))
    return load(*parse_dataset_argument(argument))


def corpus_of(outcomes: Outcomes, threshold: float = COMPLETION_THRESHOLD) -> Corpus:
    """Return the outcomes as arrays, prompts in the order of their first answer."""
    row_of: dict[str, int] = {}
    texts, sources, tasks = [], [], []
    for one in outcomes:
        if one.prompt_id not in row_of:
            row_of[one.prompt_id] = len(row_of)
            texts.append(one.prompt)
            sources.append(one.source)
            tasks.append(one.task or "")
    models = tuple(sorted({one.model_id for one in outcomes}))
    column_of = {name: column for column, name in enumerate(models)}
    names = list(row_of)
    costs = [np.nan if one.cost_usd is None else one.cost_usd for one in outcomes]
    return Corpus(
        prompt_ids=names,
        texts=texts,
        groups=[outcomes.groups.get(name) or f"prompt {name}" for name in names],
        sources=np.array(sources, dtype=np.str_),
        tasks=np.array(tasks, dtype=np.str_),
        models=models,
        prompt=np.array([row_of[one.prompt_id] for one in outcomes], dtype=np.int64),
        model=np.array([column_of[one.model_id] for one in outcomes], dtype=np.int64),
        completed=outcomes.completed(threshold).astype(np.float64),
        cost_usd=np.array(costs, dtype=np.float64),
        profiled=np.array([one.subject_profiled for one in outcomes], dtype=np.bool_),
    )


def training_encoder(setting: str = "", **options: Any) -> EmbedsMany:
    """Return the encoder a setting names, as X25_ENCODER does; "none" = features alone. Raises ConfigError."""
    return NoEncoder() if setting == FEATURES_ONLY else open_encoder(setting, **options)


def designed(
    texts: Sequence[str],
    encoder: EmbedsMany,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Floats:
    """Return [embedding | features] of each text, shape (n, dimension + features).

    Parameters: `cache` is a folder that keeps what was computed, None = do not keep it.
    """
    parts = []
    for start in range(0, len(texts), _CHUNK_PROMPTS):
        parts.append(design_matrix(texts[start : start + _CHUNK_PROMPTS], encoder, cache))
        if progress is not None:
            progress(min(start + _CHUNK_PROMPTS, len(texts)), len(texts))
    if not parts:
        raise ValueError("expected at least one prompt, got none")
    return np.vstack(parts)
