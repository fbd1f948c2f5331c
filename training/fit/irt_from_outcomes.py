"""What does `x25 train` do? Read datasets, split, fit the completion model, measure what was held out, write it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...routing.belief.irt import CAPABILITY_BENCHMARKS, Profile
from ..data.design import EmbedsMany
from ..data.outcomes import Outcomes
from ..data.recorded import is_held_out
from ..data.synthetic_outcomes import SOURCE as SYNTHETIC
from ..data.synthetic_outcomes import synthetic_profiles
from .corpus import Corpus, Labels, corpus_of, designed, load_datasets, training_encoder
from .difficulty import EASY_ANCHORS, HARD_ANCHORS
from .irt import FOLDS, Fitted, fit, measure, model_of
from .profiles import read_profiles
from .ridge import Anchors

Step = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""
Split = Literal["drawn", "fixed"]


@dataclass(frozen=True)
class TrainOptions:
    """What to fit on, and how."""

    datasets: Sequence[str]
    """kind:path, or synthetic:SEED."""
    benchmark_profiles: str | None = None
    """Catalogues separated by commas, "bundled" among them; None = the bundled one."""
    labels: Labels = field(default_factory=Labels)
    test_size: float = 0.2
    """Share of the prompts held out, (0, 1)."""
    seed: int = 42
    split: Split = "drawn"
    """drawn: groups drawn with the seed. fixed: one group in five by the hash of its name, the same everywhere."""
    encoder: str = ""
    """As X25_ENCODER; "none" = features alone."""
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    cache: Path | None = None
    with_anchors: bool = True
    """Fix both ends of the difficulty scale with hand-written prompts, which benchmarks lack."""


@dataclass(frozen=True)
class Prepared:
    """A corpus read, split and turned into inputs."""

    train: Corpus
    test: Corpus
    train_design: Any
    test_design: Any
    """[embedding | features], shape (prompts, inputs)."""
    anchors: Anchors | None
    profiles: dict[str, Profile]
    encoder: EmbedsMany
    counts: dict[str, int]
    """Rows, prompts and subjects of the whole corpus."""
    skipped: dict[str, int]


def prepare(options: TrainOptions, step: Step | None = None) -> Prepared:
    """Read the datasets and return both sides of the split, without the prompts that too few models answered.

    Raises
    ------
    ConfigError
        If a profile or the encoder cannot be used.
    FileNotFoundError
        If a dataset is not there.
    ValueError
        If a dataset cannot be read or split.
    """
    encoder = training_encoder(options.encoder, **options.encoder_options)
    outcomes, profiles = datasets_and_profiles(options)
    parts = [
        corpus_of(part, options.labels.threshold).answered_by(options.labels.least_models)
        for part in split(outcomes, options)
    ]
    total = sum(len(part.texts) for part in parts)
    designs, done = [], 0
    for part in parts:
        before = done

        def report_read(read: int, _: int, before: int = before) -> None:
            if step is not None:
                step("reading prompts", before + read, total)

        designs.append(designed(part.texts, encoder, options.cache, report_read))
        done += len(part.texts)
    counts = outcomes.counts()
    return Prepared(
        train=parts[0],
        test=parts[1],
        train_design=designs[0],
        test_design=designs[1],
        anchors=anchors_for(encoder, options.labels) if options.with_anchors else None,
        profiles=profiles,
        encoder=encoder,
        counts={"rows": counts.rows, "prompts": counts.prompts, "subjects": counts.subjects},
        skipped=dict(outcomes.skipped),
    )


def anchors_for(encoder: EmbedsMany, labels: Labels) -> Anchors:
    """Return the hand-written anchors: what everybody completes, and what nobody does."""
    extreme = np.log((1.0 - labels.passrate_floor) / labels.passrate_floor)
    target = np.array([-extreme] * len(EASY_ANCHORS) + [extreme] * len(HARD_ANCHORS))
    return Anchors(designed([*EASY_ANCHORS, *HARD_ANCHORS], encoder), target)


def datasets_and_profiles(options: TrainOptions) -> tuple[Outcomes, dict[str, Profile]]:
    """Return the outcomes, and the published benchmarks that go with them; raises as `prepare` does."""
    outcomes = load_datasets(options.datasets)
    profiles = read_profiles(options.benchmark_profiles)
    if any(argument.startswith(f"{SYNTHETIC}:") for argument in options.datasets):
        profiles = {**synthetic_profiles(), **profiles}
    return outcomes, profiles


def split(outcomes: Outcomes, options: TrainOptions) -> tuple[Outcomes, Outcomes]:
    """Return the training and the test side, which share no group of near duplicates."""
    if options.split == "drawn":
        return outcomes.split_by_prompt(options.test_size, options.seed)
    names = sorted({one.prompt_id for one in outcomes})
    groups = [outcomes.groups.get(name, f":{name}").partition(":")[2] for name in names]
    held_out = {name for name, out in zip(names, is_held_out(groups), strict=True) if out}
    train, test = (
        Outcomes(
            tuple(one for one in outcomes if (one.prompt_id in held_out) is wanted),
            outcomes.skipped,
            outcomes.groups,
        )
        for wanted in (False, True)
    )
    if not len(train) or not len(test):
        raise ValueError("expected prompts on both sides of the fixed split; use the drawn one")
    return train, test


def train(options: TrainOptions, output: Path, step: Step | None = None) -> dict[str, Any]:
    """Fit on the training side, write the artifact and return the report; raises as `prepare` and `fit` do.

    The artifact holds what was fitted on the training side alone, so the report's figures are its own.
    """
    started_s = time.monotonic()
    data = prepare(options, step)
    if step is not None:
        step("fitting", 0, 1)
    capability = data.train.capabilities(data.profiles)
    fitted = fit(data.train, data.train_design, capability, options.labels, data.anchors)
    report = report_of(data, fitted, options)
    report["seconds"] = round(time.monotonic() - started_s, 1)
    manifest = {key: value for key, value in report.items() if key != "seconds"}
    model = model_of(fitted, data.encoder, _used_profiles(data), manifest)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(rounded(model.to_dict())) + "\n", encoding="utf-8")
    if step is not None:
        step("fitting", 1, 1)
    return report


def report_of(data: Prepared, fitted: Fitted, options: TrainOptions) -> dict[str, Any]:
    """Return what was fitted on what, the coefficients and how well the held-out side is predicted."""
    profiled = np.isfinite(data.train.capabilities(data.profiles))
    return {
        "counts": data.counts,
        "skipped": data.skipped,
        "datasets": [_unplaced(argument) for argument in options.datasets],
        "split": {
            "kind": options.split,
            "seed": options.seed,
            "test_size": options.test_size,
            "folds": FOLDS,
        },
        "threshold": options.labels.threshold,
        "passrate_floor": options.labels.passrate_floor,
        "min_models": options.labels.least_models,
        "fitted_prompts": int(np.isfinite(fitted.target).sum()),
        "profiled_subjects": sorted({data.train.models[model] for model in data.train.model[profiled]}),
        "profiled_answers": int(profiled.sum()),
        "capability_benchmarks": list(CAPABILITY_BENCHMARKS),
        "coefficients": {
            name: {"a": form.a, "b": form.b, "c": form.c} for name, form in fitted.forms.items()
        },
        "ridge_alpha": fitted.head.alpha,
        "terciles": np.quantile(fitted.head.predict(data.train_design), [1 / 3, 2 / 3]).round(6).tolist(),
        "held_out": measure(
            fitted, data.test, data.test_design, data.test.capabilities(data.profiles), options.labels
        ),
        "data_sha256": data.train.data_hash(),
    }


def rounded(artifact: dict[str, Any]) -> dict[str, Any]:
    """Return an artifact whose arrays keep seven digits: what is read back is what is then served, everywhere."""
    arrays = {name: [float(f"{one:.7g}") for one in artifact[name]] for name in ("mean", "scale", "coef")}
    return {**artifact, **arrays}


def _used_profiles(data: Prepared) -> dict[str, Profile]:
    """Return the profiles of subjects in the data; the registry's are added when an artifact is loaded."""
    subjects = {*data.train.models, *data.test.models}
    return {name: profile for name, profile in data.profiles.items() if name in subjects}


def _unplaced(argument: str) -> str:
    """Return a dataset argument without the folders that lead to it."""
    kind, _, path = argument.partition(":")
    return f"{kind}:{Path(path).name}"
