"""Deliberate chance in a decision: random tiers and random audits, at a known probability and a bounded cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..state.records import Arm, Evidence
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
LEAST_EXPLORATION = 0.02
"""Share of `epsilon` that is explored whatever it costs, so that no propensity ever reaches zero."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Deliberate chance in a decision."""

    epsilon: float
    audit_rates: tuple[float, ...]
    """Probability that an answer which the plan would not judge is judged all the same, by arm."""
    can_judge: bool

    def exploration(self, ladder: Ladder, moves: PlanResult) -> Floats:
        """Return the probability of exploring in each draw, shape (D,)."""
        planned = np.take_along_axis(ladder.costs, moves.arm[:, None], 1)[:, 0]
        mean = np.maximum(ladder.costs.mean(axis=1), 1e-12)
        rate: Floats = EXPLORATION_BUDGET * planned / mean
        return rate.clip(LEAST_EXPLORATION * self.epsilon, self.epsilon)

    def propensity(self, ladder: Ladder, moves: PlanResult, column: int, arm: int) -> tuple[float, float]:
        """Return P(arm chosen) and P(answer judged | arm chosen), over draws, exploration and audits."""
        epsilon = self.exploration(ladder, moves)
        chosen = np.take_along_axis(ladder.arm_index, moves.arm[:, None], 1)[:, 0] == arm
        planned = ((1.0 - epsilon) * chosen).mean()
        unseen = ((1.0 - epsilon) * (chosen & ~moves.judge)).mean()
        explored = (epsilon * (ladder.arm_index[:, column] == arm)).mean() / len(ladder.tiers)
        total = planned + explored
        unjudged = unseen * (1.0 - self.audit_rates[arm]) + (0.0 if self.can_judge else explored)
        return float(total), float(1.0 - unjudged / total)


def audit_rates(
    arms: Sequence[Arm], evidence: Mapping[str, Evidence], audit_rate: float, *, can_judge: bool
) -> tuple[float, ...]:
    """Return each arm's audit rate: the asked one, more while the arm is cold; a rate of 0 switches audits off."""
    if not can_judge or audit_rate == 0.0:
        return (0.0,) * len(arms)
    weights = [evidence[arm.model_id].weight if arm.model_id in evidence else 0.0 for arm in arms]
    coldness = [min(1.0, max(0.0, 1.0 - weight / COLD_WEIGHT)) for weight in weights]
    return tuple(audit_rate + (1.0 - audit_rate) * cold for cold in coldness)


def certain(arms: Sequence[Arm]) -> Chance:
    """Return no chance at all: what follows from a call's own draws is certain."""
    return Chance(epsilon=0.0, audit_rates=(0.0,) * len(arms), can_judge=True)
