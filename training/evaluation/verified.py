"""The cascade over recorded outcomes where the free verifier looks at every answer before a judge is paid.

Looks that say nothing, without dependence and without pairs, make it `cascade.run_cascade`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.cascade import STOP, PlanPrices, plan
from ...routing.plan.judge_worth import second_look
from ...routing.plan.verified_cascade import AfterLook, plan_with_looks
from ...routing.prompt.logistic import sigmoids
from ..verifier.fit import log_odds
from .cascade import Outcome, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Look = tuple[JudgeTable, AfterLook]


@dataclass(frozen=True)
class Looks:
    """What the verifier says of a problem's answers."""

    tables: tuple[Look, ...]
    """Per tier the verifier's table and the judge's after each of its bins; the latter empty where none is asked."""
    bins: Ints
    """Bin of each answer's evidence, shape (prompts, tiers)."""
    pairs: Floats | None = None
    """[i, own, other] = P(own right) once both answers are held, shape (prompts, tiers, tiers)."""
    shift: float = 0.0
    """Logits by which belief in the next tiers moves with belief in an answer seen: `free_evidence.lower_next`."""
    is_foreseen: bool = True
    """Whether the plan counts on looks to come; without, it is the plan that serves and the look corrects it."""


@dataclass(frozen=True)
class LookedProblem(Problem):
    """A problem with looks."""

    looks: Looks


@dataclass(frozen=True)
class _Held:
    """What is known of every answer bought so far; arrays of shape (prompts, tiers), -inf and NaN = not bought."""

    thetas: Floats
    """Belief before the answer; those of tiers to come move with what was seen."""
    base: Floats
    """Log odds after the look, or after both answers were compared."""
    judged: Floats
    """What a judge added to them; 0 where none was asked."""

    @classmethod
    def none(cls, thetas: Floats) -> "_Held":
        """Return the state before the first answer."""
        return cls(thetas.copy(), np.full(thetas.shape, np.nan), np.zeros(thetas.shape))

    def beliefs(self) -> Floats:
        """Return P(right) of each answer held, -inf for the others."""
        found: Floats = np.where(
            np.isfinite(self.base), sigmoids(np.nan_to_num(self.base) + self.judged), -np.inf
        )
        return found

    def best(self) -> Floats:
        """Return the belief in the best answer of each prompt, -inf without any."""
        best: Floats = self.beliefs().max(axis=1)
        return best

    def look(self, rows: Ints, column: int, looks: Looks) -> None:
        """See the newest answer of `rows`, alone and beside each answer held before."""
        before = self.thetas[rows, column]
        table, bins = looks.tables[column][0], looks.bins[rows, column]
        right, wrong = before * np.asarray(table.right)[bins], (1.0 - before) * np.asarray(table.wrong)[bins]
        self.base[rows, column] = log_odds(right / (right + wrong))
        if looks.pairs is None:
            return
        for other in range(column):
            both = rows[np.isfinite(self.base[rows, other]) & np.isfinite(looks.pairs[rows, column, other])]
            # A judge's word on the other answer stands beside what the pair says of it.
            self.base[both, other] = log_odds(looks.pairs[both, other, column])
            self.base[both, column] = log_odds(looks.pairs[both, column, other])

    def judge(self, rows: Ints, column: int, judged: AfterLook, look_bins: Ints, judge_bins: Ints) -> None:
        """Add what the judge says of the newest answer of `rows`."""
        right, wrong = (np.array([getattr(one, side) for one in judged]) for side in ("right", "wrong"))
        self.judged[rows, column] = np.log(right / wrong)[look_bins, judge_bins]

    def carry_on(self, rows: Ints, column: int, shift: float) -> None:
        """Move belief in the tiers to come with what was seen of this one."""
        if shift:
            moved = shift * (self.beliefs()[rows, column] - self.thetas[rows, column])
            later = self.thetas[rows, column + 1 :]
            self.thetas[rows, column + 1 :] = sigmoids(log_odds(later) + moved[:, None])


def run_looked(
    problem: LookedProblem, table: JudgeTable | None, prices: PlanPrices, *, max_escalations: int = 2
) -> Outcome:
    """Return what plan, look and judge make of each prompt; `table` None = no judge is asked.

    After an answer the look moves belief in it, then the judge is asked where that is worth its price.
    """
    count, tiers = problem.thetas.shape
    rows, held = np.arange(count), _Held.none(problem.thetas)
    last, first, active = np.full(count, -1), np.full(count, -1), np.ones(count, dtype=np.bool_)
    cost = np.zeros(count)
    judged, answers = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for step in range(max_escalations + 1):
        left = max_escalations - step
        arm = _moves(problem, held, table, prices, last, active, left + 1)
        active &= arm != STOP
        for column in np.unique(arm[active]).tolist():
            asked = rows[active & (arm == column)]
            held.look(asked, column, problem.looks)
            seen = np.zeros(len(asked), dtype=np.bool_)
            if table is not None:
                seen = _is_judged(problem, held, table, prices, asked, column, left)
                chosen = asked[seen]
                bins = problem.looks.bins[chosen, column], problem.bins[chosen, column]
                held.judge(chosen, column, problem.looks.tables[column][1], *bins)
            held.carry_on(asked, column, problem.looks.shift)
            cost[asked] += problem.costs_usd[asked, column]
            cost[asked] += np.where(seen, problem.judge_costs_usd[asked, column], 0.0)
            judged[asked] += seen
        answers[active] += 1
        first = np.where(active & (first < 0), arm, first)
        last = np.where(active, arm, last)
        active &= last < tiers - 1
    best = held.beliefs().argmax(axis=1)
    return Outcome(problem.scores[rows, best], cost, judged, best, first, answers)


def _is_judged(  # noqa: PLR0913, PLR0917 - the situation after one tier's look
    problem: LookedProblem,
    held: _Held,
    table: JudgeTable,
    prices: PlanPrices,
    asked: Ints,
    column: int,
    left: int,
) -> NDArray[np.bool_]:
    looks, ahead = problem.looks, slice(column + 1, None)
    rest = held.thetas[asked, ahead]
    beliefs = held.beliefs()[asked]
    others = np.delete(beliefs, column, axis=1)
    return second_look(
        beliefs[:, column],
        looks.bins[asked, column],
        others.max(axis=1),
        looks.tables[column][1],
        prices,
        thetas=rest,
        costs=problem.predicted_costs[asked, ahead],
        latencies=np.zeros(rest.shape[1]),
        max_moves=left,
        table=table,
        looks=looks.tables[ahead] if looks.is_foreseen else None,
    ).is_worth


def _moves(  # noqa: PLR0913, PLR0917 - the situation of every prompt
    problem: LookedProblem,
    held: _Held,
    table: JudgeTable | None,
    prices: PlanPrices,
    last: Ints,
    active: NDArray[np.bool_],
    moves_left: int,
) -> Ints:
    """Return each active prompt's next column, or STOP."""
    arm = np.full(len(last), STOP)
    best = held.best()
    for place in np.unique(last[active]).tolist():
        here = np.flatnonzero(active & (last == place))
        ahead = slice(place + 1, None)
        thetas = held.thetas[here, ahead]
        sight = (thetas, problem.predicted_costs[here, ahead], np.zeros(thetas.shape[1]))
        start = None if place < 0 else best[here]
        found = (
            plan_with_looks(*sight, start, problem.looks.tables[ahead], prices, max_moves=moves_left)
            if problem.looks.is_foreseen
            else plan(*sight, start, table, prices, max_moves=moves_left)
        )
        arm[here] = np.where(found.arm == STOP, STOP, found.arm + place + 1)
    return arm


def looks_of(tables: Sequence[JudgeTable], after: Sequence[AfterLook] | None) -> tuple[Look, ...]:
    """Return the tiers' looks; `after` None = no judge is asked."""
    return tuple(zip(tables, after or [()] * len(tables), strict=True))
