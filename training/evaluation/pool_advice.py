"""Which swap of one model would pay on recorded outcomes? Every swap, chosen on train, reported on test.

A swap is judged by what the cascade costs when it scores what the panel's own operating point scores: the cheapest
price of quality whose train score reaches that, frozen, then run once on test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...state.types import TIERS
from ..data.recorded import Recorded, fold_of
from ..data.sides import Designed, Folders
from ..fit.heads import difficulty_target, fit_tier
from ..fit.ridge import Tried, fit_ridge_by_folds
from .fit import Estimates, Side, predicted_costs
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

    train: Designed
    test: Designed
    fold: NDArray[np.int64]
    difficulty: tuple[Floats, Floats]
    costs: dict[str, tuple[Floats, Floats]]

    @classmethod
    def of(cls, panel: Panel, folders: Folders) -> "_Source":
        """Return the prompts of the panel's datasets."""
        train, test = (side.take(panel.belongs(side.recorded)) for side in folders.sides(panel.source))
        fold, target = fold_of(train.recorded.groups), difficulty_target(train.recorded.pass_rate())
        head, difficulty = fit_ridge_by_folds(train.design, target, fold, _TRIED)
        return cls(train, test, fold, (difficulty, head.predict(test.design)), {})

    def predicted_costs(self, model: str) -> tuple[Floats, Floats]:
        """Return a model's expected cost on either side."""
        if model not in self.costs:
            (column,) = self.train.recorded.columns([model])
            self.costs[model] = predicted_costs(self.train, self.test.design, column, self.fold, _TRIED)
        return self.costs[model]

    def sides(self, panel: Panel) -> tuple[Side, Side]:
        """Return both sides as a panel of the same source sees them."""
        train = self.train.recorded
        covered = panel.covers(train)
        difficulty, scores = self.difficulty[0][covered], train.scores[covered]
        heads = [fit_tier(difficulty, scores[:, column]) for column in train.columns(panel.models)]
        priced = zip(*(self.predicted_costs(model) for model in panel.models), strict=True)
        found = [
            Side.of(panel, side.recorded, heads, Estimates(difficulty, np.stack(costs, axis=1)))
            for side, difficulty, costs in zip((self.train, self.test), self.difficulty, priced, strict=True)
        ]
        return found[0], found[1]


def advise_recorded(
    panel: Panel, folders: Folders, step: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Return what each swap of one model costs at the panel's own score, cheapest on train first.

    `step` is told the number of pools each time one is done.
    """
    source = _Source.of(panel, folders)
    judge = panel_judge(panel, None, folders.train)
    own = _run(panel, source, judge, None)
    swaps = shortlist(panel, source.train.recorded)
    step(len(swaps) + 1)
    rows = []
    for out, into in swaps:
        changed = swapped(panel, source.train.recorded, out, into)
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
    return panel.model_copy(update={"tiers": dict(zip(TIERS, models, strict=True))})


def _run(panel: Panel, source: _Source, judge: PanelJudge, own: dict[str, Any] | None) -> dict[str, Any]:
    """Return a pool's cheapest operating point that scores what the panel's own does, and what it does on test."""
    rng = np.random.default_rng(25)
    train, test = source.sides(panel)
    costs = train_costs(judge, train)
    if own is not None:  # prices and cuts stay relative to the panel's own frontier
        costs = TrainCosts(own["frontier_usd"], costs.judge_usd)
    table = table_of(judge, train, rng)
    few = rng.permutation(len(train))[:TRAIN_ROWS]
    policy = policy_of(table)
    curve = trace([problem_of(train.take(few), judge, table, costs, rng)], policy, PRICES)
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
