"""What is the free verifier worth on recorded answers? By source and panel, every figure on prompts not fitted on."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.sides import Designed, Folders
from .fit import log_odds
from .heads import Fit, fit_logistic, fit_trees
from .sides import FRONTIER, Figures, Side, read_sides, sides_of
from .value import cpu_figures, panel_figures

Floats = NDArray[np.float64]

PANELS = {
    "zeroeval": ("Meta-Llama-3.1-8B-Instruct", "gpt-4o-mini-2024-07-18", "claude-3-5-sonnet-20241022"),
    "mmlu_pro": ("gemini-1.5-flash-002", "Meta-Llama-3.1-70B-Instruct", "gemini-1.5-pro-002"),
}
"""Source → a panel of tiers in which a second cheap answer is worth looking at."""
LABEL_COUNTS = (200, 500, 1_000, 2_000, 5_000, 10_000)
_UNSEEN_SOURCE = "reasoning_gym"


def verifier_figures(folders: Folders, sources: Sequence[str] = tuple(FRONTIER)) -> Figures:
    """Return every figure of the free verifier as JSON values, per source and per panel."""
    figures: Figures = {"sources": {}, "panels": {}, "encoder": folders.encoder.fingerprint}
    sides = {}
    for source in sources:
        train, test = sides[source] = read_sides(folders, source)
        figures["sources"][source] = source_figures(train, test)
        if source in PANELS:
            figures["panels"][source] = panel_figures(
                train.answered, test.answered, PANELS[source], folders.encoder.fingerprint
            )
    for source in sources if len(sources) > 1 else ():
        others = [train for name, (train, _) in sides.items() if name != source]
        figures["sources"][source]["transfer"] = _transfer(others, sides[source][1])
    train, test = next(iter(sides.values()))
    figures["cpu_ms"] = cpu_figures(test.recorded, test.answers, train.labelled)
    return figures


def source_figures(train: Side, test: Side) -> Figures:
    """Return the figures of one source: prior, both heads, calibrated trees, labels needed, unseen data sets."""
    known = train.labelled.known
    prior = np.where(test.labelled.known, log_odds(test.labelled.priors), np.nan)
    figures: Figures = {
        "train_prompts": len(train.recorded),
        "test_prompts": len(test.recorded),
        "labels": int(known.sum()),
        "models": [train.answers.models[column] for column in train.counted],
        "prior": test.measure(prior),
    }
    for name, fit in (("logistic", fit_logistic), ("trees", fit_trees)):
        figures[name] = test.measure(_fit_and_score(train, test, fit))
    for name in ("auc", "auc_in"):
        figures[f"gain_{name}"] = figures["trees"][name] - figures["prior"][name]
    figures["labels_needed"] = _label_curve(train, test)
    if train.recorded.source == _UNSEEN_SOURCE:
        figures["unseen"] = _unseen(train, test)
    return figures


def _fit_and_score(train: Side, test: Side, fit: Fit, kept: NDArray[np.bool_] | None = None) -> Floats:
    """Return log odds of the test answers by a head fitted on the train answers `kept`."""
    known = train.labelled.known if kept is None else kept
    head = fit(train.labelled.inputs[known], train.labelled.correct[known])
    scores = np.full(test.labelled.correct.shape, np.nan)
    asked = test.labelled.known
    scores[asked] = head.logits(test.labelled.inputs[asked])
    return scores


def _label_curve(train: Side, test: Side) -> list[Figures]:
    """Return both heads' AUCs for a growing number of labels, drawn over all models of the train side."""
    answers = np.flatnonzero(train.labelled.known)
    order = np.random.default_rng(0).permutation(answers)
    curve = []
    for count in LABEL_COUNTS:
        if count >= len(answers):
            break
        kept = np.zeros(train.labelled.known.shape, dtype=np.bool_)
        kept.flat[order[:count]] = True
        fits: dict[str, Fit] = {"logistic": fit_logistic, "trees": fit_trees}
        curve.append(
            {"labels": count}
            | {name: test.measure(_fit_and_score(train, test, fit, kept)) for name, fit in fits.items()}
        )
    return curve


def is_unseen(dataset: str) -> bool:
    """Return whether a data set is one of the tenth left out of training, by the hash of its name."""
    return int(hashlib.sha256(dataset.encode()).hexdigest()[:8], 16) % 10 == 0


def _unseen(train: Side, test: Side) -> Figures:
    """Return prior and trees on data sets that neither head nor prior has seen."""
    left_out = [np.array([is_unseen(name) for name in side.recorded.datasets]) for side in (train, test)]
    parts = [
        (Designed(side.recorded, side.design).take(rows), side.answers.take(rows))
        for side, rows in ((train, ~left_out[0]), (test, left_out[1]))
    ]
    seen, fresh = sides_of(*parts)
    log_priors = np.where(fresh.labelled.known, log_odds(fresh.labelled.priors), np.nan)
    return {
        "datasets": len(np.unique(fresh.recorded.datasets)),
        "test_prompts": len(fresh.recorded),
        "prior": fresh.measure(log_priors),
        "trees": fresh.measure(_fit_and_score(seen, fresh, fit_trees)),
    }


def _transfer(others: Sequence[Side], test: Side) -> Figures:
    """Return what trees fitted on other sources' train sides are worth here."""
    inputs = np.concatenate([side.labelled.inputs[side.labelled.known] for side in others])
    right = np.concatenate([side.labelled.correct[side.labelled.known] for side in others])
    asked = test.labelled.known
    scores = np.full(asked.shape, np.nan)
    scores[asked] = fit_trees(inputs, right).logits(test.labelled.inputs[asked])
    return test.measure(scores)
