"""What is replayed: recorded rewards and costs of a few arms, and what was predicted of them beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.design import EmbedsMany, design_matrix
from ..data.recorded import Recorded, fold_of, is_held_out
from ..fit.heads import difficulty_target, fit_tier
from ..fit.ridge import Tried, fit_ridge, fit_ridge_by_folds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLD_PROBS = (0.80, 0.88, 0.92)
"""Rewards expected of a small, a middle and a frontier model when nothing was logged (rubric scores run high)."""
CONTEXT_DIMENSIONS = 25
RESIDUAL_ALPHA = 3_000.0
"""Penalty of what an arm does beside the difficulty: the middle of 300 to 10,000, all alike by cross-validation."""
_COST_TRIED = Tried(alphas=(300.0, 1_000.0))
_FOLDS = 5


@dataclass(frozen=True)
class Side:
    """Prompts with what was recorded and what was predicted; matrices have shape (prompts, arms)."""

    models: tuple[str, ...]
    rewards: Floats
    costs_usd: Floats
    probs: Floats
    """Predicted rewards, by a prompt model that has not seen the prompt's own; constants where none was fitted."""
    tuned_probs: Floats
    """The same with what suits an arm beside the difficulty."""
    predicted_usd: Floats
    contexts: Floats
    """Principal components of the prompt and a constant, shape (prompts, 26)."""
    folds: Ints
    """Which of the priors fitted on other prompts belongs to each, shape (prompts,)."""

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.rewards)

    @property
    def best(self) -> Floats:
        """Highest recorded reward of each prompt, shape (prompts,)."""
        highest: Floats = self.rewards.max(axis=1)
        return highest

    def take(self, rows: NDArray[np.bool_]) -> "Side":
        """Return these prompts only."""
        kept = {item.name: getattr(self, item.name)[rows] for item in fields(self) if item.name != "models"}
        return replace(self, **kept)


@dataclass(frozen=True)
class Replayed:
    """The stream, and the warm side that everything was fitted and every price chosen on (None when cold)."""

    stream: Side
    warm: Side | None
    dropped: int
    """Prompts of the stream left out because their text is on the warm side."""


def complete(recorded: Recorded, models: Sequence[str]) -> Recorded:
    """Return the prompts that every one of these models answered at a known cost."""
    columns = recorded.columns(models)
    known = np.isfinite(recorded.scores[:, columns]) & np.isfinite(recorded.costs_usd[:, columns])
    return recorded.take(known.all(axis=1))


def without_duplicates(stream: Recorded, warm: Recorded) -> tuple[Recorded, int]:
    """Return the stream without the prompts whose text the warm side holds, and how many were left out."""
    seen = set(warm.prompts)
    kept = np.array([prompt not in seen for prompt in stream.prompts], dtype=np.bool_)
    return stream.take(kept), int((~kept).sum())


def cold(stream: Recorded, models: Sequence[str], encoder: EmbedsMany, cache: Path | None = None) -> Replayed:
    """Return a stream of which nothing was logged: constants by tier, costs as a price list would have them."""
    design = design_matrix(stream.prompts, encoder, cache)
    side = _blank(stream, models, _components(design, design))
    usual = np.broadcast_to(side.costs_usd.mean(axis=0), side.costs_usd.shape)
    constants = cold_probs(side)
    return Replayed(replace(side, probs=constants, tuned_probs=constants, predicted_usd=usual), None, 0)


def cold_probs(side: Side) -> Floats:
    """Return what is expected of each arm by its place on the ladder alone, shape (prompts, arms)."""
    arms = len(side.models)
    ladder = [COLD_PROBS[0], *[COLD_PROBS[1]] * max(arms - 2, 0), COLD_PROBS[2]][:arms]
    return np.broadcast_to(np.array(ladder), side.rewards.shape)


def warmed(
    stream: Recorded, warm: Recorded, models: Sequence[str], encoder: EmbedsMany, cache: Path | None = None
) -> Replayed:
    """Return the stream as the prompt model fitted on the whole warm side predicts it."""
    stream, dropped = without_duplicates(stream, warm)
    here, there = (design_matrix(one.prompts, encoder, cache) for one in (stream, warm))
    side, own = (
        _blank(one, models, _components(each, there)) for one, each in ((stream, here), (warm, there))
    )
    return Replayed(*_predict(side, own, (here, there), fold_of(warm.groups, _FOLDS)), dropped)


def split(
    recorded: Recorded, models: Sequence[str], encoder: EmbedsMany, cache: Path | None = None
) -> Replayed:
    """Return the test side of one source as the stream, warm on its train side; no group is divided."""
    away = is_held_out(recorded.groups)
    return warmed(recorded.take(away), recorded.take(~away), models, encoder, cache)


def rotated(
    recorded: Recorded, models: Sequence[str], encoder: EmbedsMany, cache: Path | None = None
) -> Replayed:
    """Return every prompt of a source as one stream, each as predicted by a fit on the folds it is not in.

    A small source gives a stream as long as itself this way. Prices are met on the same out-of-fold predictions.
    """
    design = design_matrix(recorded.prompts, encoder, cache)
    folds = fold_of(recorded.groups, _FOLDS)
    side = replace(_blank(recorded, models, _components(design, design)), folds=folds)
    probs, tuned, predicted = np.empty((3, *side.rewards.shape))
    for fold in range(_FOLDS):
        away = folds == fold
        inner = fold_of(recorded.groups[~away], _FOLDS, seed=1)
        there, _ = _predict(side.take(away), side.take(~away), (design[away], design[~away]), inner)
        probs[away], tuned[away], predicted[away] = there.probs, there.tuned_probs, there.predicted_usd
    side = replace(side, probs=probs, tuned_probs=tuned, predicted_usd=predicted)
    return Replayed(side, side, 0)


def _blank(recorded: Recorded, models: Sequence[str], contexts: Floats) -> Side:
    """Return a side of which nothing is predicted yet."""
    columns = recorded.columns(models)
    rewards, nothing = recorded.scores[:, columns], np.zeros((len(recorded), len(columns)))
    folds = np.zeros(len(recorded), dtype=np.int64)
    costs = recorded.costs_usd[:, columns]
    return Side(tuple(models), rewards, costs, nothing, nothing, nothing, contexts, folds)


def _predict(stream: Side, warm: Side, designs: tuple[Floats, Floats], folds: Ints) -> tuple[Side, Side]:
    """Return both sides with predictions of a fit on the warm one, whose own are out of fold.

    `designs` are the inputs of stream and warm side; `folds` those of the warm side.
    """
    here, there = designs
    head, own = fit_ridge_by_folds(there, difficulty_target(warm.rewards.mean(axis=1)), folds)
    tiers = [fit_tier(own, rewards) for rewards in warm.rewards.T]
    priced = [_predict_cost(there, costs, folds, here) for costs in warm.costs_usd.T]
    sides = [
        replace(
            side,
            probs=np.stack([tier.predict(difficulty) for tier in tiers], axis=1),
            predicted_usd=np.stack([usd[place] for usd in priced], axis=1),
        )
        for place, (side, difficulty) in enumerate(((stream, head.predict(here)), (warm, own)))
    ]
    return _tuned(sides[0], sides[1]), sides[1]


def _predict_cost(design: Floats, costs_usd: Floats, folds: Ints, wanted: Floats) -> tuple[Floats, Floats]:
    """Return one arm's predicted costs: a ridge on the logarithm, scaled so that the mean is met out of fold."""
    target = np.log(np.maximum(costs_usd, 1e-9))
    head, own = fit_ridge_by_folds(design, target, folds, _COST_TRIED)
    scale = costs_usd.sum() / np.exp(own).sum()
    return scale * np.exp(head.predict(wanted)), scale * np.exp(own)


def _components(design: Floats, reference: Floats) -> Floats:
    """Return whitened principal components of the reference's inputs, and a constant; shape (prompts, 26)."""
    mean, spread = reference.mean(axis=0), reference.std(axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    _, sizes, axes = np.linalg.svd(((reference - mean) / spread).clip(-4, 4), full_matrices=False)
    kept = min(CONTEXT_DIMENSIONS, int((sizes > 1e-8).sum()))
    inputs = ((design - mean) / spread).clip(-4, 4)
    whitened = inputs @ axes[:kept].T * (np.sqrt(len(reference)) / sizes[:kept])
    # Unit length on average, so that one width of the confidence bound suits any number of components.
    return np.hstack([whitened / np.sqrt(max(kept, 1)), np.ones((len(design), 1))])


def _tuned(stream: Side, warm: Side) -> Side:
    """Return the stream with a ridge of what each arm's reward leaves unexplained on the warm side added."""
    inputs, wanted = warm.contexts[:, :-1], stream.contexts[:, :-1]
    gaps = [fit_ridge(inputs, gap, RESIDUAL_ALPHA).predict(wanted) for gap in (warm.rewards - warm.probs).T]
    return replace(stream, tuned_probs=np.clip(stream.probs + np.stack(gaps, axis=1), 0.02, 0.98))
