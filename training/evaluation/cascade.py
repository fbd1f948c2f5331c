"""The cascade over recorded outcomes, all prompts at once, by the plan that serves."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.likelihood import UNCHECKED, Likelihood, posterior
from ...routing.plan.cascade import STOP, PlanPrices, plan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Problem:
    """Prompts of a panel; all arrays of shape (prompts, tiers) unless said otherwise."""

    thetas: Floats
    """Believed quality of each tier's answer."""
    predicted_costs: Floats
    """Expected cost of each tier's call relative to the frontier's mean; decisions see nothing else of cost."""
    scores: Floats
    costs_usd: Floats
    """Realised: reported, never decided by."""
    bins: Ints
    """Bin the judge would put each answer in."""
    judge_costs_usd: Floats
    judge_cost: float
    """Expected cost of a judgement relative to the frontier's mean call."""
    checked: Likelihood = field(default=UNCHECKED, kw_only=True)
    """What free checks saw of every answer: nothing, as recorded outcomes may hold no text."""


@dataclass(frozen=True)
class Outcome:
    """What became of each prompt; arrays of shape (prompts,)."""

    score: Floats
    cost_usd: Floats
    """Answers and judgements, also of answers that were not returned."""
    judge_calls: Ints
    tier: Ints
    """Tier of the answer returned."""
    first: Ints
    """Tier asked first."""
    answers: Ints
    """Answers bought."""


def run_cascade(
    problem: Problem, table: JudgeTable | None, prices: PlanPrices, *, max_escalations: int = 2
) -> Outcome:
    """Return what the plan makes of each prompt; the same actions as `routing.plan.decide` takes without chance.

    After a verdict only dearer tiers remain; the answer of the highest posterior is returned.
    """
    count, tiers = problem.thetas.shape
    rows = np.arange(count)
    if table is not None and not table.is_trusted:
        table = None
    best_so_far = np.full(count, -np.inf)
    best = np.full(count, -1)
    last = np.full(count, -1)
    first = np.full(count, -1)
    cost = np.zeros(count)
    judged = np.zeros(count, dtype=np.int64)
    answers = np.zeros(count, dtype=np.int64)
    active = np.ones(count, dtype=np.bool_)
    for step in range(max_escalations + 1):
        arm, judge = _actions(problem, table, prices, best_so_far, last, active, max_escalations + 1 - step)
        active &= arm != STOP
        asked = rows[active]
        if not len(asked):
            break
        column, seen = arm[active], judge[active]
        cost[asked] += problem.costs_usd[asked, column]
        cost[asked] += np.where(seen, problem.judge_costs_usd[asked, column], 0.0)
        judged[asked] += seen
        answers[asked] += 1
        quality = posterior(problem.thetas[asked, column], problem.checked)
        if table is not None:
            score_bin = problem.bins[asked, column]
            right = quality * np.asarray(table.right)[score_bin]
            wrong = (1.0 - quality) * np.asarray(table.wrong)[score_bin]
            quality = np.where(seen, right / (right + wrong), quality)
        better = quality > best_so_far[asked]
        best_so_far[asked] = np.maximum(best_so_far[asked], quality)
        best[asked] = np.where(better, column, best[asked])
        first[asked] = np.where(first[asked] < 0, column, first[asked])
        last[asked] = column
        active &= last < tiers - 1
    return Outcome(problem.scores[rows, best], cost, judged, best, first, answers)


def _actions(  # noqa: PLR0913, PLR0917 - the situation of every prompt
    problem: Problem,
    table: JudgeTable | None,
    prices: PlanPrices,
    best_so_far: Floats,
    last: Ints,
    active: NDArray[np.bool_],
    answers_left: int,
) -> tuple[Ints, NDArray[np.bool_]]:
    """Return each active prompt's next column, or STOP, and whether its answer is judged."""
    arm = np.full(len(best_so_far), STOP)
    judge = np.zeros(len(best_so_far), dtype=np.bool_)
    for place in np.unique(last[active]):
        here = np.flatnonzero(active & (last == place))
        ahead = slice(int(place) + 1, None)
        found = plan(
            problem.thetas[here, ahead],
            problem.predicted_costs[here, ahead],
            np.zeros(problem.thetas.shape[1] - int(place) - 1),
            None if place < 0 else best_so_far[here],
            table,
            prices,
            max_answers=answers_left,
        )
        arm[here] = np.where(found.arm == STOP, STOP, found.arm + int(place) + 1)
        judge[here] = found.judge
    return arm, judge
