"""Pool advice on recorded outcomes: every swap of one model of a panel, chosen on train, reported on test.

A swap is judged by what the cascade costs when it scores what the panel's own operating point scores: the cheapest
price of quality whose train score reaches that, frozen, then run once on test.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...state.types import TIERS
from ..data.design import EmbedsMany, design_matrix
from ..data.recorded import Recorded, fold_of, is_held_out, read_recorded
from ..fit.heads import difficulty_target, fit_tier
from ..fit.ridge import Tried, fit_ridge_by_folds
from .fit import Side
from .judged import PanelJudge, TrainCosts, panel_judge, problem_of, table_of, train_costs
from .panels import Panel
from .points import QUALITY_PRICES, Point, match_point, policy_of, trace

Floats = NDArray[np.float64]

LEAST_SHARE = 0.9
"""A model is offered when answer and cost were recorded for this share of the prompts."""
OFFERED = 5
"""Models tried in place of each other, at most."""
TRAIN_ROWS = 2_500
"""Train prompts the operating points are chosen on, at most; drawn evenly."""
PRICES = QUALITY_PRICES[::3]
_TRIED = Tried(alphas=(300.0,))
_BEATEN = 0.01


@dataclass(frozen=True)
class _Source:
    """Both sides of a source with what is fitted once: the difficulty, and each model's cost when first asked for."""

    train: Recorded
    test: Recorded
    designs: tuple[Floats, Floats]
    fold: NDArray[np.int64]
    difficulty: tuple[Floats, Floats]
    costs: dict[str, tuple[Floats, Floats]]

    def predicted_costs(self, model: str) -> tuple[Floats, Floats]:
        """Return a model's expected cost on either side: a ridge of the log cost whose mean is right on train."""
        if model not in self.costs:
            cost = self.train.costs_usd[:, self.train.columns([model])[0]]
            known = np.isfinite(cost) & (cost > 0)
            target = np.where(known, np.log(np.where(known, cost, 1.0)), np.nan)
            head, estimates = fit_ridge_by_folds(self.designs[0], target, self.fold, _TRIED)
            scale = cost[known].mean() / np.exp(estimates[known]).mean()
            self.costs[model] = (scale * np.exp(estimates), scale * np.exp(head.predict(self.designs[1])))
        return self.costs[model]


def advise_recorded(  # noqa: PLR0913, PLR0917 - where to read, and how
    panel: Panel,
    train_dir: Path,
    test_dir: Path | None,
    encoder: EmbedsMany,
    cache: Path | None = None,
    step: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Return what each swap of one model costs at the panel's own score, cheapest on train first.

    `test_dir` None = a group-safe split of the train folder. `step` is told the number of pools
    each time one is done.
    """
    source = _read(panel, train_dir, test_dir, encoder, cache)
    judge = panel_judge(panel, None, train_dir)
    own = _run(panel, source, judge, None)
    swaps = shortlist(panel, source.train)
    step(len(swaps) + 1)
    rows = []
    for out, into in swaps:
        changed = swapped(panel, source.train, out, into)
        rows.append(
            {"out": out, "into": into, "tiers": dict(changed.tiers)} | _run(changed, source, judge, own)
        )
        step(len(swaps) + 1)
    rows.sort(key=lambda row: (not row["is_reached_on_train"], row["train_cost_usd_per_call"]))
    return {"panel": panel.name, "own": {"tiers": dict(panel.tiers)} | own, "swaps": rows}


def shortlist(panel: Panel, train: Recorded, offered: int = OFFERED) -> list[tuple[str, str]]:
    """Return the swaps worth running, as (out, into), by mean score and mean cost on train.

    A model that another beats in score by a point at no higher cost is not offered.
    """
    share = (np.isfinite(train.scores) & np.isfinite(train.costs_usd)).mean(axis=0)
    models = [model for model, known in zip(train.models, share, strict=True) if known >= LEAST_SHARE]
    columns = train.columns(models)
    score, cost = (
        np.nanmean(train.scores[:, columns], axis=0),
        np.nanmean(train.costs_usd[:, columns], axis=0),
    )
    best = [
        (score[one], model)
        for one, model in enumerate(models)
        if model not in panel.models
        and not any(
            score[two] >= score[one] + _BEATEN and cost[two] <= cost[one]
            for two in range(len(models))
            if two != one
        )
    ]
    # Of many those stand out that rise far above the line between the panel's own models.
    own = train.columns(panel.models)
    own_cost, own_score = (
        np.nanmean(train.costs_usd[:, own], axis=0),
        np.nanmean(train.scores[:, own], axis=0),
    )
    order = np.argsort(own_cost)
    of_model = dict(zip(models, cost, strict=True))
    above = sorted(
        best, key=lambda pair: np.interp(of_model[pair[1]], own_cost[order], own_score[order]) - pair[0]
    )
    offers = [model for _, model in above[:offered]]
    return [(out, into) for out in panel.models for into in offers]


def swapped(panel: Panel, train: Recorded, out: str, into: str) -> Panel:
    """Return the panel with one model for another, its tiers in the order of their mean cost on train."""
    models = [into if model == out else model for model in panel.models]
    mean = dict(zip(models, np.nanmean(train.costs_usd[:, train.columns(models)], axis=0), strict=True))
    models.sort(key=lambda model: mean[model])
    return replace(panel, tiers=dict(zip(TIERS, models, strict=True)))


def _read(
    panel: Panel, train_dir: Path, test_dir: Path | None, encoder: EmbedsMany, cache: Path | None
) -> _Source:
    train = read_recorded(train_dir, panel.source)
    design = design_matrix(train.prompts, encoder, cache)
    if test_dir is None:
        held_out = is_held_out(train.groups)
        sides = [(train.take(~held_out), design[~held_out]), (train.take(held_out), design[held_out])]
    else:
        test = read_recorded(test_dir, panel.source)
        sides = [(train, design), (test, design_matrix(test.prompts, encoder, cache))]
    sides = [_only(panel, *side) for side in sides]
    (train, design), (test, test_design) = sides
    fold = fold_of(train.groups)
    head, difficulty = fit_ridge_by_folds(design, difficulty_target(train.pass_rate()), fold, _TRIED)
    return _Source(train, test, (design, test_design), fold, (difficulty, head.predict(test_design)), {})


def _only(panel: Panel, recorded: Recorded, design: Floats) -> tuple[Recorded, Floats]:
    belongs = np.char.startswith(recorded.datasets, panel.dataset_prefix)
    if panel.datasets:
        belongs &= np.isin(recorded.datasets, panel.datasets)
    rows = np.flatnonzero(belongs)
    return recorded.take(rows), design[rows]


def _run(panel: Panel, source: _Source, judge: PanelJudge, own: dict[str, Any] | None) -> dict[str, Any]:
    """Return a pool's cheapest operating point that scores what the panel's own does, and what it does on test."""
    rng = np.random.default_rng(25)
    train, test = (_side(panel, source, which) for which in (0, 1))
    costs = train_costs(judge, train)
    if own is not None:  # prices and cuts stay relative to the panel's own frontier
        costs = TrainCosts(own["frontier_usd"], costs.judge_usd)
    table = table_of(judge, train, rng)
    few = rng.permutation(len(train))[:TRAIN_ROWS]
    policy = policy_of(table)
    curve = trace([problem_of(_take(train, few), judge, table, costs, rng)], policy, PRICES)
    target = (
        float(train.scores[few, -1].mean()) + panel.match_margin_points / 100
        if own is None
        else own["target"]
    )
    point = match_point(curve, target, 0.0)
    if own is None:  # where the margin is out of reach, every pool is held to what this one does reach
        target = min(target, point.train_score)
    done = policy(problem_of(test, judge, table, costs, rng), point.quality_price)
    return _figures(point, costs.frontier_usd, target, done.score, done.cost_usd)


def _figures(point: Point, frontier_usd: float, target: float, score: Floats, cost: Floats) -> dict[str, Any]:
    half = 1.96 * 100.0 * float(score.std()) / np.sqrt(len(score))
    return {
        "target": target,
        "frontier_usd": frontier_usd,
        "is_reached_on_train": point.is_reached,
        "quality_price": point.quality_price,
        "train_score": point.train_score,
        "train_cost_usd_per_call": point.train_cost_usd,
        "test_score": float(score.mean()),
        "test_score_half_width_points": float(half),
        "test_cost_usd_per_call": float(cost.mean()),
    }


def _side(panel: Panel, source: _Source, which: int) -> Side:
    recorded = (source.train, source.test)[which]
    covered = panel.covers(recorded)
    columns = recorded.columns(panel.models)
    on_train = panel.covers(source.train)
    train_columns = source.train.columns(panel.models)
    heads = [
        fit_tier(source.difficulty[0][on_train], source.train.scores[on_train][:, one])
        for one in train_columns
    ]
    difficulty = source.difficulty[which][covered]
    kept = recorded.take(covered)
    costs = np.stack([source.predicted_costs(model)[which] for model in panel.models], axis=1)
    return Side(
        recorded=kept,
        difficulty=difficulty,
        completion_probs=np.stack([head.predict(difficulty) for head in heads], axis=1),
        predicted_costs_usd=costs[covered],
        scores=kept.scores[:, columns],
        correct=kept.correct[:, columns],
        costs_usd=kept.costs_usd[:, columns],
        input_tokens=np.nan_to_num(kept.input_tokens[:, columns]),
        output_tokens=np.nan_to_num(kept.output_tokens[:, columns]),
    )


def _take(side: Side, rows: Sequence[int] | NDArray[np.int64]) -> Side:
    """Return some prompts of a side."""
    index = np.asarray(rows)
    return replace(
        side,
        recorded=side.recorded.take(index),
        **{
            name: getattr(side, name)[index]
            for name in (
                "difficulty", "completion_probs", "predicted_costs_usd", "scores", "correct", "costs_usd",
                "input_tokens", "output_tokens",
            )
        },
    )  # fmt: skip
