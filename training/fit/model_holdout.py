"""How well is a model predicted that nobody ever recorded? `x25 eval-model-holdout` leaves each out in turn.

The model's answers are taken out of everything: of the pass rates, of the difficulty head and of the form. What is
left is its capability and, out of fold, the difficulty of prompts that the head has not seen either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.irt import FormName
from ..data.recorded import fold_of
from .corpus import Corpus, Labels, corpus_of, designed, training_encoder
from .irt import FOLDS, UNFADED, fit_form, form_mu, scores_of
from .irt_from_outcomes import Step, TrainOptions, datasets_and_profiles
from .ridge import fit_ridge_by_folds, out_of_fold
from .threshold_sweep import CapabilityFrom

Floats = NDArray[np.float64]

PUBLISHED_AUC = {"text counts": 0.658, "sentence embedding": 0.719}
"""Macro AUC the published router reports for the same exercise on its own data."""
LEAST_ANSWERS = 30


@dataclass(frozen=True)
class Evidence:
    """What there is to learn from."""

    corpus: Corpus
    design: Floats
    """[embedding | features], shape (prompts, inputs)."""
    capability: Floats
    """Behind each answer, shape (answers,); NaN = not known."""
    labels: Labels


def evaluate(
    options: TrainOptions,
    capability_from: CapabilityFrom = "profiles",
    models: Sequence[str] | None = None,
    step: Step | None = None,
) -> dict[str, Any]:
    """Return, for both forms, AUC, Brier and ECE of each model left out, and their macro means.

    Parameters
    ----------
    capability_from
        "profiles": published benchmarks. "datasets": how often the model completed the other tasks of the same
        source, for corpora whose models have no published benchmarks.
    models
        Models to leave out, one at a time; None = all of known capability with both outcomes and at least
        `LEAST_ANSWERS` answers.

    Raises
    ------
    ConfigError, FileNotFoundError
        As `train_irt.prepare`.
    ValueError
        Also if a model cannot be left out, or there is none to leave out.
    """
    encoder = training_encoder(options.encoder, **options.encoder_options)
    outcomes, profiles = datasets_and_profiles(options)
    # One more model than the least, so that every prompt keeps its pass rate whoever is left out.
    corpus = corpus_of(outcomes, options.labels.threshold).answered_by(options.labels.least_models + 1)
    design = designed(corpus.texts, encoder, options.cache, _told(step))
    published = capability_from == "profiles"
    capability = corpus.capabilities(profiles) if published else corpus.own_capabilities(corpus)
    evidence = Evidence(corpus, design, capability, options.labels)
    report = leave_out(evidence, models_to_leave_out(evidence, models), step)
    return {"counts": _counts(corpus), "capability_from": capability_from, **report}


def leave_out(evidence: Evidence, columns: Sequence[int], step: Step | None = None) -> dict[str, Any]:
    """Return the figures of the models in these columns, each left out in turn."""
    corpus, design, labels = evidence.corpus, evidence.design, evidence.labels
    capability = evidence.capability
    fold = fold_of(corpus.groups, FOLDS)
    # The penalty alone is chosen with everybody present: one number, the same for all.
    head, _ = fit_ridge_by_folds(design, corpus.difficulty_targets(labels), fold, UNFADED)
    targets = np.stack(
        [corpus.difficulty_targets(labels, without=corpus.model == column) for column in columns], axis=1
    )
    estimates = out_of_fold(design, targets, fold, head.alpha)
    per_model: dict[str, dict[str, Any]] = {}
    for place, column in enumerate(columns):
        of_it = corpus.model == column
        shown = np.where(of_it, np.nan, capability)
        asked = of_it & np.isfinite(capability)
        guessed = estimates[:, place][corpus.prompt]
        forms = {
            "estimated": fit_form(shown, guessed, corpus.completed),
            "seed": fit_form(shown, targets[:, place][corpus.prompt], corpus.completed),
        }
        per_model[corpus.models[column]] = {
            "answers": int(asked.sum()),
            "completed": round(float(corpus.completed[asked].mean()), 4),
            **{
                name: scores_of(form_mu(form, capability[asked], guessed[asked]), corpus.completed[asked])
                for name, form in forms.items()
            },
        }
        if step is not None:
            step("leaving models out", place + 1, len(columns))
    return {"models": per_model, "macro": _macro(per_model), "published_macro_auc": PUBLISHED_AUC}


def models_to_leave_out(evidence: Evidence, models: Sequence[str] | None = None) -> list[int]:
    """Return the columns of these models, None = of all that can be; raises as `evaluate` does."""
    corpus, known = evidence.corpus, np.isfinite(evidence.capability)
    fit_for_it = []
    for column in range(len(corpus.models)):
        completed = corpus.completed[known & (corpus.model == column)]
        if len(completed) >= LEAST_ANSWERS and 0.0 < completed.mean() < 1.0:
            fit_for_it.append(column)
    names = {corpus.models[column]: column for column in fit_for_it}
    wanted = list(names) if models is None else list(models)
    if unfit := [name for name in wanted if name not in names]:
        raise ValueError(
            f"expected models of known capability with both outcomes and at least {LEAST_ANSWERS} answers, "
            f"got {', '.join(unfit)}; there are {', '.join(names) or 'none'}"
        )
    if not wanted:
        raise ValueError(
            "expected models of known capability to leave out, got none: name their benchmarks in "
            "--benchmark-profiles, or use --capability-from datasets"
        )
    return [names[name] for name in wanted]


def _macro(per_model: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return each form's figures as plain means over the models."""
    return {
        form: {
            key: round(float(np.mean([one[form][key] for one in per_model.values()])), 4)
            for key in ("auc", "brier", "ece")
        }
        for form in get_args(FormName)
    }


def _counts(corpus: Corpus) -> dict[str, int]:
    return {"rows": len(corpus.prompt), "prompts": len(corpus.texts), "subjects": len(corpus.models)}


def _told(step: Step | None) -> Callable[[int, int], None] | None:
    return None if step is None else lambda done, total: step("reading prompts", done, total)
