"""Deliberate chance in a decision: random tiers and random audits, at a known probability and a bounded cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...state.records import Arm, Evidence
from ..belief.thompson import return_prob
from .cascade import PlanResult
from .ladder import Ladder

Floats = NDArray[np.float64]

EXPLORATION_BUDGET = 0.02
"""What exploring may add to the expected cost of the planned arms: where the planned tier is cheap, a random
one is dear. At prices of 1, 10 and 100, three calls in a hundred sent evenly to all tiers would double the bill
of the cheapest."""
COLD_WEIGHT = 50.0
"""Labelled first answers below which an arm is judged more often than the audit rate says: always at none, evenly
less up to here. An arm that is never looked at keeps its prior, right or wrong."""
LEAST_RETURN_PROB = 0.02
"""Probability of having been repaired from which an arm that became worse is judged wherever it is asked."""
LEAST_EXPLORATION = 0.02
"""Share of `epsilon` that is explored whatever it costs, so that no propensity ever reaches zero."""

_CHEAPER = 0.9
EXPLORING_CALLS = 45
"""Calls within which every tier is to be asked once. The exploring stage ends at 50; the evidence that counts the
calls lags by those nobody judged."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Deliberate chance in a decision."""

    epsilon: float
    audit_rates: tuple[float, ...]
    """Probability that an answer which the plan would not judge is judged all the same, by arm."""
    can_judge: bool
    untried: frozenset[str] = frozenset()
    """Tiers nobody has judged an answer of."""
    calls_so_far: int = 0

    def exploration(self, ladder: Ladder, actions: PlanResult) -> Floats:
        """Return the probability that each draw explores each column, shape (D, columns).

        Each column with `epsilon` / columns, a dearer one with less where that would cost more than the budget.
        Before `EXPLORING_CALLS`, a tier never tried with 1 / (calls left), so that each is asked once in time at a
        cost known beforehand.
        """
        draws, columns = ladder.costs.shape
        planned = ladder.costs[np.arange(draws), actions.arm]
        mean = np.maximum(ladder.costs.sum(axis=1) / columns, 1e-12)
        rate = np.minimum(
            np.maximum(EXPLORATION_BUDGET * planned / mean, LEAST_EXPLORATION * self.epsilon), self.epsilon
        )
        # A cheaper tier than the planned one costs nothing to try: its answer is judged, and a poor one climbs.
        rates = np.where(ladder.costs < _CHEAPER * planned[:, None], self.epsilon, rate[:, None])
        trial = self._trial(ladder)
        return np.asarray(trial + (1.0 - trial.sum()) * rates / columns)

    def _trial(self, ladder: Ladder) -> Floats:
        """Return the probability of asking each column because its tier was never tried."""
        left = EXPLORING_CALLS - self.calls_so_far
        untried = np.array([tier in self.untried for tier in ladder.tiers], dtype=np.float64)
        if self.epsilon == 0.0 or left < 1 or not untried.any() or not self.can_judge:
            return np.zeros(len(untried))
        rate: Floats = untried / max(float(left), float(untried.sum()))
        return rate

    def propensity(
        self, ladder: Ladder, actions: PlanResult, column: int, arm: int, exploring: Floats | None = None
    ) -> tuple[float, float]:
        """Return P(arm chosen) and P(answer judged | arm chosen), over draws, exploration and audits.

        The deciding draw is one of the draws, and all are alike: given the draws, the arm is chosen with exactly
        this probability, so 1 / propensity is an unbiased weight however few there are. `exploring` saves
        computing `exploration` a second time.
        """
        if exploring is None:
            exploring = self.exploration(ladder, actions)
        draws = len(actions.arm)
        is_planned = ladder.arm_index[np.arange(draws), actions.arm] == arm
        planned_prob = (1.0 - exploring.sum(axis=1)) * is_planned
        planned = planned_prob.sum() / draws
        unseen = planned_prob.dot(~actions.judge) / draws
        explored = exploring[:, column].dot(ladder.arm_index[:, column] == arm) / draws
        total = planned + explored
        if not self.can_judge:
            return float(total), 0.0
        return float(total), float(1.0 - unseen * (1.0 - self.audit_rates[arm]) / total)

    def chance_judge_prob(
        self, ladder: Ladder, actions: PlanResult, column: int, arm: int, exploring: Floats
    ) -> float:
        """Return P(exploring or an audit has the answer judged, whatever the plan says | arm chosen)."""
        if not self.can_judge:
            return 0.0
        draws = len(actions.arm)
        is_planned = ladder.arm_index[np.arange(draws), actions.arm] == arm
        planned = (1.0 - exploring.sum(axis=1)).dot(is_planned) / draws
        explored = exploring[:, column].dot(ladder.arm_index[:, column] == arm) / draws
        return float((explored + planned * self.audit_rates[arm]) / (planned + explored))


def untried_tiers(arms: Sequence[Arm], evidence: Mapping[str, Evidence]) -> tuple[frozenset[str], int]:
    """Return the tiers none of whose arms was ever judged, and at least how many calls the org has made."""
    tried = {
        arm.tier for arm in arms if (one := evidence.get(arm.model_id)) is not None and one.weight_total > 0.0
    }
    calls = max((one.calls_seen for one in evidence.values()), default=0)
    return frozenset(arm.tier for arm in arms) - tried, calls


def audit_rates(
    arms: Sequence[Arm], evidence: Mapping[str, Evidence], audit_rate: float, *, can_judge: bool
) -> tuple[float, ...]:
    """Return each arm's audit rate: the asked one, more while the arm is cold; a rate of 0 switches audits off.

    Cold is an arm of few observations, faded or not: what fades was seen all the same, and a rate that counted the
    faded ones only would never come down to the asked one. An arm that became worse and may be repaired is cold too.
    """
    if not can_judge or audit_rate == 0.0:
        return (0.0,) * len(arms)
    coldness = [_coldness(evidence.get(arm.model_id)) for arm in arms]
    return tuple(audit_rate + (1.0 - audit_rate) * cold for cold in coldness)


def _coldness(evidence: Evidence | None) -> float:
    if evidence is None or return_prob(evidence) >= LEAST_RETURN_PROB:
        return 1.0
    return min(1.0, max(0.0, 1.0 - max(evidence.weight, evidence.weight_total) / COLD_WEIGHT))


def certain(arms: Sequence[Arm]) -> Chance:
    """Return no chance at all: what follows from a call's own draws is certain."""
    return Chance(epsilon=0.0, audit_rates=(0.0,) * len(arms), can_judge=True)
