"""Savings: what the reference would have cost, less everything that was paid. Defined here and nowhere else.

Amounts of one comparison share a unit, nano-dollars or dollars, and may be numbers or arrays of them.
"""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Money = TypeVar("Money", int, float, NDArray[np.float64])
Ratio = TypeVar("Ratio", float, NDArray[np.float64])


def paid(answers: Money, judge: Money) -> Money:
    """Return everything that was paid.

    Parameters
    ----------
    answers
        All requests for an answer: the one returned, those escalated from, and failed ones that were billed.
    judge
        All judgements, whether they brought a score or not.
    """
    return answers + judge


def saved(reference: Money, everything_paid: Money) -> Money:
    """Return reference - answers - judge; below 0 where routing cost more than it replaced.

    Parameters
    ----------
    reference
        What the tokens of the returned answer would have cost on the reference frontier model; 0 where no answer came.
    everything_paid
        As `paid` returns it.
    """
    return reference - everything_paid


def saved_share(reference: Ratio, everything_paid: Ratio) -> Ratio:
    """Return what was saved as a share of the reference's cost, at most 1; `reference` is above 0."""
    return saved(reference, everything_paid) / reference


@dataclass(frozen=True, slots=True)
class Spending:
    """What a number of calls cost, beside what they would have cost elsewhere; nano-dollars."""

    total_calls: int
    cost_nusd: int
    judge_cost_nusd: int
    reference_cost_nusd: int
    pool_cost_nusd: int
    """On the dearest model each router chooses among; as `reference_cost_nusd` where that is all models."""

    @property
    def saved_nusd(self) -> int:
        """What was saved against the reference, judge included."""
        return saved(self.reference_cost_nusd, paid(self.cost_nusd, self.judge_cost_nusd))

    @property
    def pool_saved_nusd(self) -> int:
        """What was saved against the dearest model of each router's own pool, judge included."""
        return saved(self.pool_cost_nusd, paid(self.cost_nusd, self.judge_cost_nusd))


@dataclass(frozen=True, slots=True)
class OrgStats(Spending):
    """Sums over an org's calls; equal to a recomputation from the log."""

    avg_quality: float | None
    """Mean over calls whose quality somebody looked at; null before the first."""
    avg_latency_ms: float | None
    model_distribution: dict[str, int]
    tier_distribution: dict[str, int]
    smaller_pools: dict[str, Spending] = field(default_factory=dict)
    """Calls of each router that chose among some of the models only, by its name."""
    cache_hits: int = 0
    """Calls answered with what another one had bought."""
    cache_saved_nusd: int = 0
    """What those others had paid for it, nano-dollars; a part of what was saved against the reference."""
