"""Run a learner through a stream in many orders at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.plan.pacing import pace_per_call
from .learners import Bandit
from .streams import Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A mean cost per call, and what a dollar is worth in reward where the ceiling is just met."""

    usd_per_call: float
    price_per_usd: float


@dataclass(frozen=True)
class World:
    """What differs from the recording, step by step; each of shape (steps, arms)."""

    reward_factor: Floats
    cost_factor: Floats
    is_there: Bools


@dataclass(frozen=True)
class Trace:
    """What happened; matrices have shape (orders, steps)."""

    rows: Ints
    arms: Ints
    rewards: Floats
    costs_usd: Floats
    alarms: Bools
    means: Floats
    """Mean quality drawn for each arm, over orders; shape (steps, arms)."""

    def share(self, arm: int) -> Floats:
        """Return the share of orders that asked the arm at each step."""
        share: Floats = (self.arms == arm).mean(axis=0)
        return share


def orders_of(length: int, orders: int, seed: int) -> Ints:
    """Return random orders of a stream, shape (orders, length); the same for every learner."""
    rng = np.random.default_rng([seed, length])
    return np.stack([rng.permutation(length) for _ in range(orders)])


def run(  # noqa: PLR0913 - the replay's whole setting
    side: Side,
    bandit: Bandit,
    orders: Ints,
    rng: np.random.Generator,
    *,
    ceiling: Ceiling | None = None,
    world: World | None = None,
    judged: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> Trace:
    """Ask one arm a step and show the learner that arm's reward alone.

    Decisions use predicted costs; realised ones are only charged.

    Parameters
    ----------
    orders
        Rows of the side in the order they come, shape (orders, steps).
    judged
        Share of steps whose reward the learner is shown.
    tick
        Called once, at the end.
    """
    count, steps = orders.shape
    lanes = np.arange(count)
    spent = np.zeros(count)
    arms = np.empty((count, steps), dtype=np.int64)
    rewards, costs = np.empty((2, count, steps))
    alarms = np.zeros((count, steps), dtype=np.bool_)
    means = np.empty((steps, len(side.models)))
    for step in range(steps):
        rows = orders[:, step]
        qualities = bandit.qualities(rows, rng)
        means[step] = qualities.mean(axis=0)
        factor = (1.0, 1.0) if world is None else (world.reward_factor[step], world.cost_factor[step])
        gains = qualities.copy()
        if ceiling is not None:
            predicted = side.predicted_usd[rows] * factor[1]
            pace = pace_per_call(ceiling.usd_per_call, spent, step)
            gains -= (ceiling.price_per_usd * pace.multiplier)[:, None] * predicted
            gains[~pace.allows(predicted)] = -np.inf
        if world is not None:
            gains[:, ~world.is_there[step]] = -np.inf
        chosen = gains.argmax(axis=1)
        arms[:, step] = chosen
        rewards[:, step] = (side.rewards[rows] * factor[0])[lanes, chosen]
        costs[:, step] = (side.costs_usd[rows] * factor[1])[lanes, chosen]
        spent += costs[:, step]
        seen = np.asarray(rng.random(count) < judged)
        alarms[:, step] = bandit.learn(rows, chosen, rewards[:, step], seen)
    tick()
    return Trace(orders, arms, rewards, costs, alarms, means)
