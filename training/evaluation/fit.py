"""What a panel's heads say of its prompts: fitted on train, out of fold there, once on test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.linear import LinearHead
from ..data.recorded import Recorded, fold_of
from ..fit.heads import TierHead, difficulty_target, fit_tier
from ..fit.ridge import fit_ridge_by_folds
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


def fit_panel(
    panel: Panel, train: Recorded, test: Recorded, designs: tuple[Floats, Floats], seed: int = 0
) -> PanelFit:
    """Fit difficulty, completion and cost of a panel on train and apply them to test.

    Parameters
    ----------
    train, test
        Both sides of the panel's source.
    designs
        Inputs of both sides' prompts, shape (prompts, inputs).

    Raises
    ------
    ValueError
        If a side holds no prompt of the panel.
    """
    train_rows, test_rows = (_belonging(panel, side) for side in (train, test))
    train, test = train.take(train_rows), test.take(test_rows)
    train_design, test_design = designs[0][train_rows], designs[1][test_rows]
    fold = _folds(panel, train, seed)
    target = difficulty_target(train.pass_rate())
    head, train_difficulty = fit_ridge_by_folds(train_design, target, fold)
    test_difficulty = head.predict(test_design)
    covered, test_covered = panel.covers(train), panel.covers(test)
    if not covered.any() or not test_covered.any():
        raise ValueError(f"panel {panel.name!r} has no prompt on one side of the split")
    columns = train.columns(panel.models)
    heads = tuple(fit_tier(train_difficulty[covered], train.scores[covered][:, column]) for column in columns)
    costs, test_costs = _predicted_costs(train, train_design, test_design, columns, fold)
    return PanelFit(
        panel=panel,
        difficulty_head=head,
        tier_heads=heads,
        train=_side(panel, train, covered, train_difficulty, heads, costs),
        test=_side(panel, test, test_covered, test_difficulty, heads, test_costs),
        train_prompts=train,
        test_prompts=test,
        train_difficulty=train_difficulty,
        test_difficulty=test_difficulty,
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


def _belonging(panel: Panel, recorded: Recorded) -> NDArray[np.int64]:
    belongs = np.char.startswith(recorded.datasets, panel.dataset_prefix)
    if panel.datasets:
        belongs &= np.isin(recorded.datasets, panel.datasets)
    return np.flatnonzero(belongs)


def _predicted_costs(
    train: Recorded,
    train_design: Floats,
    test_design: Floats,
    columns: Sequence[int],
    fold: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Return each model's expected cost: a ridge of the log cost, scaled so that its mean is right on train."""
    on_train, on_test = [], []
    for column in columns:
        cost = train.costs_usd[:, column]
        known = np.isfinite(cost) & (cost > 0)
        target = np.where(known, np.log(np.where(known, cost, 1.0)), np.nan)
        head, estimates = fit_ridge_by_folds(train_design, target, fold)
        scale = cost[known].mean() / np.exp(estimates[known]).mean()
        on_train.append(scale * np.exp(estimates))
        on_test.append(scale * np.exp(head.predict(test_design)))
    return np.stack(on_train, axis=1), np.stack(on_test, axis=1)


def _side(  # noqa: PLR0913, PLR0917 - one argument a part
    panel: Panel,
    recorded: Recorded,
    covered: NDArray[np.bool_],
    difficulty: Floats,
    heads: Sequence[TierHead],
    predicted_costs_usd: Floats,
) -> Side:
    columns = recorded.columns(panel.models)
    kept = recorded.take(covered)
    difficulty = difficulty[covered]
    return Side(
        recorded=kept,
        difficulty=difficulty,
        completion_probs=np.stack([head.predict(difficulty) for head in heads], axis=1),
        predicted_costs_usd=predicted_costs_usd[covered],
        scores=kept.scores[:, columns],
        correct=kept.correct[:, columns],
        costs_usd=kept.costs_usd[:, columns],
        input_tokens=np.nan_to_num(kept.input_tokens[:, columns]),
        output_tokens=np.nan_to_num(kept.output_tokens[:, columns]),
    )
