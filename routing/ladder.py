"""Draws of many arms grouped by tier: what the plan reasons about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..state.records import Arm
from ..state.types import TIERS
from .cascade import PlanPrices

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Draws grouped by tier: K columns in ladder order, D rows; `arm_index` points into the arms."""

    tiers: tuple[str, ...]
    arm_index: Ints
    thetas: Floats
    costs: Floats
    latencies: Floats


def climb(arms: Sequence[Arm], thetas: Floats, prices: PlanPrices, reference: tuple[float, float]) -> Ladder:
    """Return the best arm of each tier in each draw: highest worth minus price."""
    cost_nusd, latency_ms = (max(value, 1.0) for value in reference)
    costs = np.array([arm.expected_cost_nusd for arm in arms]) / cost_nusd
    latencies = np.array([arm.expected_latency_ms for arm in arms]) / latency_ms
    gain = prices.worth(thetas) - prices.step_price(costs, latencies)
    tiers = tuple(tier for tier in TIERS if any(arm.tier == tier for arm in arms))
    columns = []
    for tier in tiers:
        members = np.flatnonzero([arm.tier == tier for arm in arms])
        columns.append(members[gain[:, members].argmax(axis=1)])
    arm_index = np.stack(columns, axis=1)
    return Ladder(
        tiers, arm_index, np.take_along_axis(thetas, arm_index, 1), costs[arm_index], latencies[arm_index]
    )
