"""Draws of many arms grouped by tier: what the plan reasons about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...state.records import Arm
from ...state.types import TIERS
from .cascade import PlanPrices

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Draws grouped by tier: K columns in ladder order, D rows; `arm_index` points into the arms."""

    tiers: tuple[str, ...]
    arm_index: Ints
    thetas: Floats
    """Drawn quality of an answer that comes."""
    expected: Floats
    """Drawn quality times the probability that an answer comes: what asking is worth."""
    costs: Floats
    latencies: Floats

    @property
    def sight(self) -> tuple[Floats, Floats, Floats]:
        """Expected quality, costs and latencies, as the plan takes them."""
        return self.expected, self.costs, self.latencies


def climb(arms: Sequence[Arm], thetas: Floats, prices: PlanPrices, reference: tuple[float, float]) -> Ladder:
    """Return the best arm of each tier in each draw: highest worth minus price."""
    cost_nusd, latency_ms = (max(value, 1.0) for value in reference)
    costs = np.array([arm.expected_cost_nusd / cost_nusd for arm in arms])
    latencies = np.array([arm.expected_latency_ms / latency_ms for arm in arms])
    expected = thetas * np.array([arm.availability for arm in arms])
    gain = prices.worth(expected) - prices.step_price(costs, latencies)
    tier_to_members: dict[str, list[int]] = {tier: [] for tier in TIERS}
    for number, arm in enumerate(arms):
        tier_to_members[arm.tier].append(number)
    tiers = tuple(tier for tier, members in tier_to_members.items() if members)
    arm_index = np.empty((len(thetas), len(tiers)), dtype=np.int64)
    for column, tier in enumerate(tiers):
        members = np.array(tier_to_members[tier])
        arm_index[:, column] = members[gain[:, members].argmax(axis=1)] if len(members) > 1 else members[0]
    rows = np.arange(len(thetas))[:, None]
    return Ladder(
        tiers, arm_index, thetas[rows, arm_index], expected[rows, arm_index], costs[arm_index], latencies[arm_index]
    )  # fmt: skip
