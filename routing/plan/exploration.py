"""Deliberate chance in a decision: random tiers and random audits, at a known probability and a bounded cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ...state.records import Arm, Evidence
from ..belief.drift import THRESHOLD
from ..belief.thompson import belief_mean, return_prob
from .cascade import PlanResult
from .ladder import Ladder
from .terms import Terms

Floats = NDArray[np.float64]

EXPLORATION_BUDGET = 0.02
"""What exploring may add to the expected cost of the planned arms: where the planned tier is cheap, a random
one is dear. At prices of 1, 10 and 100, three calls in a hundred sent evenly to all tiers would double the bill
of the cheapest."""
COLD_WEIGHT = 50.0
"""Labelled first answers below which an arm is judged more often than the audit rate says: always at none, evenly
less up to here. An arm that is never looked at keeps its prior, right or wrong."""
SETTLED_ERROR = 0.05
"""Standard error of an arm's pass rate from which it is known well enough to say which side of a bar it is on."""
TRIAL_RATE = 0.4
"""Share of calls that try a cheaper arm than the planned one, while it may meet the bar and is not settled. Trying is
over within some hundreds of calls; at a tenth of it, one org in three pays more than half too much for as long."""
DOUBTED_NATS = 3.0
"""Evidence that an arm became worse from which it is doubted: judged more often, and no longer settled. An arm that is
left because it seems worse would otherwise stay between the two, neither found changed nor seen again."""
HOPE = 2.5
"""Standard errors by which an arm may be better than it is believed to be."""
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
    trial_rates: tuple[float, ...] = ()
    """Probability that an arm is asked where it is cheaper than the planned one, by arm; empty = as any other."""

    def exploration(self, ladder: Ladder, actions: PlanResult) -> Floats:
        """Return the probability that each draw explores each column, shape (D, columns); 0 for the planned one.

        Each column with `epsilon` / columns, a dearer one with less where that would cost more than the budget, a
        cheaper one with more while it may meet the bar (`trial_rates`).
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
        is_cheaper = ladder.costs < _CHEAPER * planned[:, None]
        rates = np.where(is_cheaper, self.epsilon, rate[:, None]) / columns
        if self.trial_rates:
            rates = np.maximum(rates, np.where(is_cheaper, np.array(self.trial_rates)[ladder.arm_index], 0.0))
        trial = self._trial(ladder)
        exploring = np.asarray(trial + (1.0 - trial.sum()) * rates)
        # Chance that falls on the planned column explores nothing: whether to judge is left to plan and audit.
        exploring[np.arange(draws), actions.arm] = 0.0
        return exploring

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

    def arm_probs(self, ladder: Ladder, actions: PlanResult, arms: int, exploring: Floats) -> Floats:
        """Return P(arm chosen) of each of `arms` arms, as `propensity` says of one; their sum is 1."""
        rows = np.arange(len(actions.arm))
        asked = exploring.copy()
        asked[rows, actions.arm] += 1.0 - exploring.sum(axis=1)
        probs: Floats = np.bincount(ladder.arm_index.ravel(), asked.ravel(), arms) / len(rows)
        return probs

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


def audit_rates(arms: Sequence[Arm], evidence: Mapping[str, Evidence], terms: Terms) -> tuple[float, ...]:
    """Return each arm's audit rate: the asked one, more while the arm is cold; a rate of 0 switches audits off.

    Cold is an arm of few observations, faded or not: what fades was seen all the same, and a rate that counted the
    faded ones only would never come down to the asked one. An arm that became worse and may be repaired is cold too,
    and one whose answers fail more checks than they used to. Under a bar an arm stays cold until its pass rate is
    settled, as long as judging does not double what it costs.
    """
    if terms.table is None or terms.audit_rate == 0.0:
        return (0.0,) * len(arms)
    settled = observations_to_settle(terms)
    return tuple(
        terms.audit_rate
        + (1.0 - terms.audit_rate) * _coldness(arm, evidence.get(arm.model_id), settled, terms)
        for arm in arms
    )


def _coldness(arm: Arm, evidence: Evidence | None, settled: float, terms: Terms) -> float:
    if evidence is None or return_prob(evidence) >= LEAST_RETURN_PROB:
        return 1.0
    seen = _observations(evidence)
    suspicion = max(terms.suspicions.get(arm.model_id, 0.0), _doubt(evidence))
    cold = max(0.0, 1.0 - seen / COLD_WEIGHT, suspicion)
    if settled <= COLD_WEIGHT:
        return cold
    judge_cost_nusd = terms.prices.judge_cost * terms.reference_cost_nusd
    affordable = min(1.0, arm.expected_cost_nusd / judge_cost_nusd) if judge_cost_nusd > 0.0 else 1.0
    return max(cold, affordable * (1.0 - seen / settled))


def _doubt(evidence: Evidence) -> float:
    """Return how far the detector has come from doubting an arm to finding it worse, 0 to 1."""
    return min(1.0, max(0.0, (evidence.drift_down - DOUBTED_NATS) / (THRESHOLD - DOUBTED_NATS)))


def _observations(evidence: Evidence) -> float:
    return max(evidence.weight, evidence.weight_total)


def observations_to_settle(terms: Terms) -> float:
    """Return the judged answers after which an arm's pass rate is known to `SETTLED_ERROR`; 0 without a bar.

    A judge who errs makes each of them tell less: about 100 for one of AUC .99, 260 for one of AUC .85.
    """
    bar, table = terms.prices.quality_bar, terms.trusted_table
    if bar is None or table is None or terms.strategy != "plan":
        return 0.0
    return table.weight_variance(bar) / SETTLED_ERROR**2


def trial_rates(arms: Sequence[Arm], evidence: Mapping[str, Evidence], terms: Terms) -> tuple[float, ...]:
    """Return how often each arm is tried where it is cheaper than the planned one; empty without a bar.

    The plan under a bar takes the cheapest arm whose draw meets it, so a cheaper one of poor repute is hardly ever
    seen again, rightly or wrongly. It is tried, judged, and climbed from where the answer is poor, while it is not
    settled and may meet the bar for this prompt: with m the belief, n observations of variance v each,

        m + `HOPE` / sqrt(kappa0 / (m (1 - m)) + n / v) >= bar
    """
    settled = observations_to_settle(terms)
    if settled == 0.0 or terms.epsilon == 0.0:
        return ()
    return tuple(_trial_rate(arm, evidence.get(arm.model_id), settled, terms) for arm in arms)


def _trial_rate(arm: Arm, evidence: Evidence | None, settled: float, terms: Terms) -> float:
    assert terms.prices.quality_bar is not None
    seen = 0.0 if evidence is None else _observations(evidence)
    if seen >= settled and (evidence is None or _doubt(evidence) == 0.0):
        return 0.0
    learner = terms.learner.about(arm)
    mean = belief_mean(arm.completion_prob, evidence, learner)
    variance = settled * SETTLED_ERROR**2
    error = 1.0 / sqrt(learner.kappa0 / (mean * (1.0 - mean)) + seen / variance)
    return TRIAL_RATE if mean + HOPE * error >= terms.prices.quality_bar else 0.0


def certain(arms: Sequence[Arm]) -> Chance:
    """Return no chance at all: what follows from a call's own draws is certain."""
    return Chance(epsilon=0.0, audit_rates=(0.0,) * len(arms), can_judge=True)
