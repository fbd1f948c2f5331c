"""What becomes of recorded prompts where the free verifier assesses answers first? The cascade, verifier before judge.

Assessments that say nothing, without pairs, make it `cascade.run_cascade`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.cascade import STOP, PlanPrices, plan
from ...routing.plan.judge_worth import judge_worth
from ...routing.plan.verified_cascade import TablesAfterVerifier, plan_with_verifiers
from ...routing.prompt.logistic import sigmoids
from ..verifier.fit import log_odds
from .cascade import Outcome, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
VerifierTables = tuple[JudgeTable, TablesAfterVerifier]


@dataclass(frozen=True)
class Assessments:
    """What the verifier says of a problem's answers."""

    tables: tuple[VerifierTables, ...]
    """Per tier the verifier's table and the judge's after each of its bins; the latter empty where none is asked."""
    bins: Ints
    """Bin of each answer's evidence, shape (prompts, tiers)."""
    pairs: Floats | None = None
    """[i, own, other] = P(own right) once both answers are bought, shape (prompts, tiers, tiers)."""
    is_foreseen: bool = True
    """Whether the plan counts on assessments to come; without, it is the plan that serves and they correct it."""


@dataclass(frozen=True)
class AssessedProblem(Problem):
    """A problem with what the verifier says of its answers."""

    assessments: Assessments


@dataclass(frozen=True)
class _Bought:
    """What is known of every answer bought so far; arrays of shape (prompts, tiers), NaN = not bought."""

    base: Floats
    """Log odds after the verifier's assessment, or after both answers were compared."""
    judged: Floats
    """What a judge added to them; 0 where none was asked."""

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> "_Bought":
        """Return the state before the first answer."""
        return cls(np.full(shape, np.nan), np.zeros(shape))

    def beliefs(self) -> Floats:
        """Return P(right) of each answer bought, -inf for the others."""
        found: Floats = np.where(
            np.isfinite(self.base), sigmoids(np.nan_to_num(self.base) + self.judged), -np.inf
        )
        return found

    def best(self) -> Floats:
        """Return the belief in the best answer of each prompt, -inf without any."""
        best: Floats = self.beliefs().max(axis=1)
        return best

    def assess(self, rows: Ints, column: int, problem: AssessedProblem) -> None:
        """See the newest answer of `rows`, alone and beside each answer held before."""
        assessments, before = problem.assessments, problem.thetas[rows, column]
        table, bins = assessments.tables[column][0], assessments.bins[rows, column]
        right, wrong = before * np.asarray(table.right)[bins], (1.0 - before) * np.asarray(table.wrong)[bins]
        self.base[rows, column] = log_odds(right / (right + wrong))
        if assessments.pairs is None:
            return
        for other in range(column):
            both = rows[
                np.isfinite(self.base[rows, other]) & np.isfinite(assessments.pairs[rows, column, other])
            ]
            # A judge's word on the other answer stands beside what the pair says of it.
            self.base[both, other] = log_odds(assessments.pairs[both, other, column])
            self.base[both, column] = log_odds(assessments.pairs[both, column, other])

    def judge(self, rows: Ints, column: int, problem: AssessedProblem) -> None:
        """Add what the judge says of the newest answer of `rows`."""
        after = problem.assessments.tables[column][1]
        right, wrong = (np.array([getattr(one, side) for one in after]) for side in ("right", "wrong"))
        seen = problem.assessments.bins[rows, column], problem.bins[rows, column]
        self.judged[rows, column] = np.log(right / wrong)[seen]


def run_verified(
    problem: AssessedProblem, table: JudgeTable | None, prices: PlanPrices, *, max_escalations: int = 2
) -> Outcome:
    """Return what plan, verifier and judge make of each prompt; `table` None = no judge is asked.

    After an answer the verifier moves belief in it, then the judge is asked where that is worth its price.
    """
    rules = _Rules(problem, table, prices)
    count, tiers = problem.thetas.shape
    rows, bought = np.arange(count), _Bought.none(problem.thetas.shape)
    last, first, active = np.full(count, -1), np.full(count, -1), np.ones(count, dtype=np.bool_)
    cost = np.zeros(count)
    judged, answers = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for step in range(max_escalations + 1):
        left = max_escalations - step
        arm = rules.actions(bought, last, active, left + 1)
        active &= arm != STOP
        for column in np.unique(arm[active]).tolist():
            asked = rows[active & (arm == column)]
            bought.assess(asked, column, problem)
            seen = rules.is_judged(bought, asked, column, left)
            if table is not None:
                bought.judge(asked[seen], column, problem)
            cost[asked] += problem.costs_usd[asked, column]
            cost[asked] += np.where(seen, problem.judge_costs_usd[asked, column], 0.0)
            judged[asked] += seen
        answers[active] += 1
        first = np.where(active & (first < 0), arm, first)
        last = np.where(active, arm, last)
        active &= last < tiers - 1
    best = bought.beliefs().argmax(axis=1)
    return Outcome(problem.scores[rows, best], cost, judged, best, first, answers)


@dataclass(frozen=True)
class _Rules:
    """How a problem is decided."""

    problem: AssessedProblem
    table: JudgeTable | None
    prices: PlanPrices

    def actions(self, bought: _Bought, last: Ints, active: NDArray[np.bool_], answers_left: int) -> Ints:
        """Return each active prompt's next column, or STOP."""
        problem, assessments = self.problem, self.problem.assessments
        arm = np.full(len(last), STOP)
        best = bought.best()
        for place in np.unique(last[active]).tolist():
            here = np.flatnonzero(active & (last == place))
            ahead = slice(place + 1, None)
            thetas = problem.thetas[here, ahead]
            sight = (thetas, problem.predicted_costs[here, ahead], np.zeros(thetas.shape[1]))
            start = None if place < 0 else best[here]
            found = (
                plan_with_verifiers(
                    *sight, start, assessments.tables[ahead], self.prices, max_answers=answers_left
                )
                if assessments.is_foreseen
                else plan(*sight, start, self.table, self.prices, max_answers=answers_left)
            )
            arm[here] = np.where(found.arm == STOP, STOP, found.arm + place + 1)
        return arm

    def is_judged(self, bought: _Bought, asked: Ints, column: int, answers_left: int) -> NDArray[np.bool_]:
        """Return whether a judge sees the answers just assessed, shape of `asked`."""
        if self.table is None:
            return np.zeros(len(asked), dtype=np.bool_)
        problem, assessments, ahead = self.problem, self.problem.assessments, slice(column + 1, None)
        beliefs, rest = bought.beliefs()[asked], problem.thetas[asked, ahead]
        return judge_worth(
            beliefs[:, column],
            assessments.bins[asked, column],
            np.delete(beliefs, column, axis=1).max(axis=1),
            assessments.tables[column][1],
            self.prices,
            thetas=rest,
            costs=problem.predicted_costs[asked, ahead],
            latencies=np.zeros(rest.shape[1]),
            max_answers=answers_left,
            table=self.table,
            verifiers=assessments.tables[ahead] if assessments.is_foreseen else None,
        ).is_worth


def verifier_tables_of(
    tables: Sequence[JudgeTable], after: Sequence[TablesAfterVerifier] | None
) -> tuple[VerifierTables, ...]:
    """Return the tiers' tables, verifier's and judge's after it; `after` None = no judge is asked."""
    return tuple(zip(tables, after or [()] * len(tables), strict=True))
