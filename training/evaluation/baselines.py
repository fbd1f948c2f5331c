"""What would one do without this router? Fixed models, lotteries, the seeds' rules, and perfect foresight."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.thompson import CLASSIC_STRENGTH
from ...state.savings import saved_share
from ...state.types import TIERS
from .cascade import Outcome, Problem
from .fit import PanelFit, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPLETION_THRESHOLD = 0.7
FALLBACK_MARGIN = 0.05
CLASSIC_BAR = 0.7
_DATASET_PRICES = np.geomspace(0.002, 5.0, 48)


def picked(side: Side, tier: Ints) -> dict[str, float]:
    """Return score and cost of asking these tiers, shape (prompts,), and nobody else."""
    rows = np.arange(len(side))
    return _figures(side, side.scores[rows, tier], side.costs_usd[rows, tier])


def _figures(side: Side, score: Floats, cost_usd: Floats) -> dict[str, float]:
    frontier_score, frontier_cost = side.scores[:, -1].mean(), side.costs_usd[:, -1].mean()
    return {
        "score": float(score.mean()),
        "cost_usd_per_call": float(cost_usd.mean()),
        "score_delta_points": 100.0 * float(score.mean() - frontier_score),
        "cut": saved_share(float(frontier_cost), float(cost_usd.mean())),
    }


def baselines(
    fit: PanelFit, seed_probs: Floats, problem: Problem, table: JudgeTable, rng: np.random.Generator
) -> dict[str, Any]:
    """Return every baseline on the test side.

    Parameters
    ----------
    seed_probs
        Completion probabilities of the seed's model on test, shape (prompts, tiers).
    problem
        The test side with one draw of the judge's scores.
    """
    side = fit.test
    count = len(side)
    found: dict[str, Any] = {
        f"always_{tier}": picked(side, np.full(count, index)) | {"model": fit.panel.tiers[tier]}
        for index, tier in enumerate(TIERS)
    }
    found["random"] = _figures(side, side.scores.mean(axis=1), side.costs_usd.mean(axis=1))
    best = int(fit.train.scores.mean(axis=0).argmax())
    found["best_single"] = found[f"always_{TIERS[best]}"] | {"chosen_on": "train"}
    budget = fit.panel.budget_share * fit.train.costs_usd[:, -1].mean()
    affordable = np.where(fit.train.costs_usd.mean(axis=0) <= budget, fit.train.scores.mean(axis=0), -np.inf)
    found["best_single_within_budget"] = found[f"always_{TIERS[int(affordable.argmax())]}"] | {
        "chosen_on": "train"
    }
    found |= _per_dataset_best(fit)
    found["xrouter_classic"] = picked(side, threshold_rule(seed_probs, side.predicted_costs_usd))
    classic = x25_classic(problem, table, rng)
    found["x25_classic"] = _figures(side, classic.score, classic.cost_usd)
    found["oracle"] = picked(side, cheapest_right(side))
    return found


def threshold_rule(probs: Floats, costs: Floats) -> Ints:
    """Return the cheapest tier that clears the threshold, else the cheapest within a margin of the best."""
    clears = probs >= COMPLETION_THRESHOLD
    near = probs >= probs.max(axis=1, keepdims=True) - FALLBACK_MARGIN
    allowed = np.where(clears.any(axis=1, keepdims=True), clears, near)
    chosen: Ints = np.where(allowed, costs, np.inf).argmin(axis=1)
    return chosen


def cheapest_right(side: Side) -> Ints:
    """Return the cheapest tier that was right, the cheapest of all where none was."""
    right = side.correct > 0.5
    cost = np.where(right, side.costs_usd, np.inf)
    chosen: Ints = np.where(right.any(axis=1), cost.argmin(axis=1), side.costs_usd.argmin(axis=1))
    return chosen


def _per_dataset_best(fit: PanelFit) -> dict[str, Any]:
    """Return the best tier of each dataset on train, at the prices of the match and budget points."""
    train, frontier = fit.train, fit.train.costs_usd[:, -1].mean()
    names, inverse = np.unique(train.recorded.datasets, return_inverse=True)
    share = np.bincount(inverse) / len(train)
    score = np.stack([train.scores[inverse == index].mean(axis=0) for index in range(len(names))])
    cost = np.stack([train.costs_usd[inverse == index].mean(axis=0) for index in range(len(names))])
    rows = np.arange(len(names))
    choices = [(score - price * cost / frontier).argmax(axis=1) for price in _DATASET_PRICES]
    scores = np.array([share @ score[rows, tier] for tier in choices])
    costs = np.array([share @ cost[rows, tier] for tier in choices])
    enough = scores >= train.scores[:, -1].mean()
    within = costs <= fit.panel.budget_share * frontier
    place = {
        "per_dataset_best_match": np.where(enough, costs, np.inf).argmin()
        if enough.any()
        else scores.argmax(),
        "per_dataset_best_budget": np.where(within, scores, -np.inf).argmax()
        if within.any()
        else costs.argmin(),
    }
    known = {name: index for index, name in enumerate(names)}
    overall = {name: (share @ (score - 0.1 * cost / frontier)).argmax() for name in place}
    return {
        name: picked(
            fit.test,
            np.array([
                choices[index][known[dataset]] if dataset in known else overall[name]
                for dataset in fit.test.recorded.datasets
            ]),
        )
        for name, index in place.items()
    }  # fmt: skip


def x25_classic(problem: Problem, table: JudgeTable, rng: np.random.Generator) -> Outcome:
    """Return the classic rule on the prompts as a stream, cold.

    One Beta per tier, the highest draw is asked, every answer is judged, its score is added to alpha and the
    rest to beta, and a score below the bar climbs one tier. The score of a bin is its share of right answers at
    even odds. The answer of the highest score is returned.
    """
    right, wrong = np.asarray(table.right), np.asarray(table.wrong)
    reward = (right / (right + wrong))[problem.bins]
    count, tiers = reward.shape
    alpha = np.full(tiers, CLASSIC_STRENGTH * 0.5)
    beta = alpha.copy()
    score, cost = np.empty(count), np.zeros(count)
    judged, tier, first = (np.zeros(count, dtype=np.int64) for _ in range(3))
    for row in range(count):
        column = int(rng.beta(alpha, beta).argmax())
        first[row] = tier[row] = column
        best = -1.0
        while True:
            cost[row] += problem.costs_usd[row, column] + problem.judge_costs_usd[row, column]
            judged[row] += 1
            seen = reward[row, column]
            alpha[column] += seen
            beta[column] += 1.0 - seen
            if seen > best:
                best, tier[row] = seen, column
            if seen >= CLASSIC_BAR or column == tiers - 1:
                break
            column += 1
        score[row] = problem.scores[row, tier[row]]
    return Outcome(score, cost, judged, tier, first, judged)
