"""What do a panel's heads say of its prompts? Fitted on train, out of fold there, once on test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...routing.prompt.linear import LinearHead
from ..data.recorded import Recorded, fold_of
from ..data.sides import Designed
from ..fit.heads import TierHead, difficulty_target, fit_tier
from ..fit.ridge import EVERYTHING, Tried, fit_ridge_by_folds
from .panels import Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One side of a split; arrays of shape (prompts, tiers) unless said otherwise."""

    recorded: Recorded
    difficulty: Floats
    """Estimated, shape (prompts,); on train by a head that has not seen the prompt."""
    completion_probs: Floats
    predicted_costs_usd: Floats
    scores: Floats
    correct: Floats
    costs_usd: Floats
    input_tokens: Floats
    output_tokens: Floats

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.scores)

    @classmethod
    def of(
        cls, panel: Panel, recorded: Recorded, heads: Sequence[TierHead], estimates: "Estimates"
    ) -> "Side":
        """Return the prompts a panel covers, with what is expected of them."""
        covered, columns = panel.covers(recorded), recorded.columns(panel.models)
        kept, difficulty = recorded.take(covered), estimates.difficulty[covered]
        return cls(
            recorded=kept,
            difficulty=difficulty,
            completion_probs=np.stack([head.predict(difficulty) for head in heads], axis=1),
            predicted_costs_usd=estimates.costs_usd[covered],
            scores=kept.scores[:, columns],
            correct=kept.correct[:, columns],
            costs_usd=kept.costs_usd[:, columns],
            input_tokens=np.nan_to_num(kept.input_tokens[:, columns]),
            output_tokens=np.nan_to_num(kept.output_tokens[:, columns]),
        )

    def take(self, rows: ArrayLike) -> "Side":
        """Return the prompts of these rows, in their order."""
        arrays = {
            item.name: getattr(self, item.name)[rows] for item in fields(self) if item.name != "recorded"
        }
        return Side(recorded=self.recorded.take(rows), **arrays)


@dataclass(frozen=True)
class Estimates:
    """What is expected of prompts before anybody is asked."""

    difficulty: Floats
    """Shape (prompts,)."""
    costs_usd: Floats
    """Of each tier's call, shape (prompts, tiers)."""


@dataclass(frozen=True)
class PanelFit:
    """A panel's heads and what they say."""

    panel: Panel
    difficulty_head: LinearHead
    tier_heads: tuple[TierHead, ...]
    train: Side
    test: Side
    train_prompts: Recorded
    """All prompts of the panel's datasets, also those a model of the panel did not answer."""
    test_prompts: Recorded
    train_difficulty: Floats
    """Out of fold, shape (train prompts,)."""
    test_difficulty: Floats


def fit_panel(panel: Panel, train: Designed, test: Designed, seed: int = 0) -> PanelFit:
    """Fit difficulty, completion and cost of a panel on the train side of its source and apply them to test.

    Raises
    ------
    ValueError
        If a side holds no prompt of the panel.
    """
    train, test = (side.take(panel.belongs(side.recorded)) for side in (train, test))
    prompts = train.recorded
    fold = _folds(panel, prompts, seed)
    head, on_train = fit_ridge_by_folds(train.design, difficulty_target(prompts.pass_rate()), fold)
    on_test = head.predict(test.design)
    covered = panel.covers(prompts)
    if not covered.any() or not panel.covers(test.recorded).any():
        raise ValueError(f"panel {panel.name!r} has no prompt on one side of the split")
    columns = prompts.columns(panel.models)
    heads = tuple(fit_tier(on_train[covered], prompts.scores[covered][:, column]) for column in columns)
    priced = [predicted_costs(train, test.design, column, fold) for column in columns]
    costs, test_costs = (np.stack(side, axis=1) for side in zip(*priced, strict=True))
    return PanelFit(
        panel=panel,
        difficulty_head=head,
        tier_heads=heads,
        train=Side.of(panel, prompts, heads, Estimates(on_train, costs)),
        test=Side.of(panel, test.recorded, heads, Estimates(on_test, test_costs)),
        train_prompts=prompts,
        test_prompts=test.recorded,
        train_difficulty=on_train,
        test_difficulty=on_test,
    )


def _folds(panel: Panel, train: Recorded, seed: int) -> NDArray[np.int64]:
    """Return the folds; where families may be unseen, one family in four is kept on one side as a whole.

    Their out-of-fold estimates then come from heads that have not seen the family, as some on test will.
    """
    fold = fold_of(train.groups, seed=seed)
    if not panel.unseen_families:
        return fold
    families = family_of(train.datasets)
    apart = fold_of([f"apart {family}" for family in families], folds=4, seed=seed) == 0
    return np.where(apart, fold_of(families, seed=seed), fold)


def family_of(datasets: Iterable[str]) -> list[str]:
    """Return the family of each dataset: the part of its name after the last slash."""
    return [str(dataset).rpartition("/")[2] for dataset in datasets]


def predicted_costs(
    train: Designed, design: Floats, column: int, fold: NDArray[np.int64], tried: Tried = EVERYTHING
) -> tuple[Floats, Floats]:
    """Return one model's expected cost on train (out of fold) and of other prompts.

    A ridge of the log cost, scaled so that its mean is right on train.
    """
    cost = train.recorded.costs_usd[:, column]
    known = np.isfinite(cost) & (cost > 0)
    target = np.where(known, np.log(np.where(known, cost, 1.0)), np.nan)
    head, estimates = fit_ridge_by_folds(train.design, target, fold, tried)
    scale = cost[known].mean() / np.exp(estimates[known]).mean()
    return scale * np.exp(estimates), scale * np.exp(head.predict(design))
