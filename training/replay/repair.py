"""The whole loop on a model that breaks and is repaired: how soon it is asked again, and at what price."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.thompson import DEFAULT_LEARNER, Learner
from ..evaluation.fit import Side
from ..evaluation.judged import PanelJudge
from .drift import interval, return_figures
from .loop import Loop, loop_of, run_order
from .regret import Setting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KEPT = 0.5
"""Share of its right answers that a broken model still gives."""
PHASE_CALLS = 600
"""Calls before it breaks, until it is repaired, and after."""
NO_RETURN = "x25, no return"
LEARNERS: dict[str, Learner] = {
    "x25": DEFAULT_LEARNER,
    NO_RETURN: replace(DEFAULT_LEARNER, return_hazard=0.0),
}


def measure_repair(
    models: tuple[str, ...],
    side: Side,
    judge: PanelJudge,
    setting: Setting,
    learners: dict[str, Learner] = LEARNERS,
) -> dict[str, Any]:
    """Return the model asked most, and by learner how soon it comes back after its repair, with utility in points.

    `utility_of_return` is what coming back adds to a call over the whole stream, `steady_...` where nothing breaks;
    both are paired over orders and have 95 % intervals.
    """
    rng = np.random.default_rng([setting.seed, 28])
    loop = loop_of(models, side, judge, rng)
    orders = [
        np.random.default_rng([setting.seed, 29, order]).integers(len(loop.scores), size=3 * PHASE_CALLS)
        for order in range(setting.orders)
    ]
    steady = {name: _play(loop, loop, orders, learner, setting) for name, learner in learners.items()}
    first = steady["x25"][1][:, :PHASE_CALLS]
    usual = int(np.bincount(first.ravel(), minlength=len(models)).argmax())
    broken = replace(
        loop_of(models, break_tier(side, usual, rng), judge, rng),
        table=loop.table,
        frontier_usd=loop.frontier_usd,
    )
    runs = {name: _play(loop, broken, orders, learner, setting) for name, learner in learners.items()}
    unreturned = {"": runs[NO_RETURN][0], "steady_": steady[NO_RETURN][0]}
    found: dict[str, Any] = {}
    for name in learners:
        found[name] = _figures(*runs[name], usual)
        for prefix, utility in (("", runs[name][0]), ("steady_", steady[name][0])):
            gained = (utility - unreturned[prefix]).mean(axis=1)
            found[name] |= interval(f"{prefix}utility_of_return", gained, np.mean)
    return {"model": models[usual], "learners": found}


def break_tier(side: Side, column: int, rng: np.random.Generator) -> Side:
    """Return the side as it is while a model gives only some of its right answers."""
    scores, correct = side.scores.copy(), side.correct.copy()
    kept = rng.random(len(side)) < KEPT
    scores[:, column] *= kept
    correct[:, column] *= kept
    return replace(side, scores=scores, correct=correct)


def _play(
    loop: Loop, broken: Loop, orders: list[Ints], learner: Learner, setting: Setting
) -> tuple[Floats, Ints]:
    """Return utility and the tier asked first, shape (orders, calls); `broken` is the world of the middle third."""
    loops = [loop] * PHASE_CALLS + [broken] * PHASE_CALLS + [loop] * PHASE_CALLS
    lanes = [
        run_order(loops, rows, loop.terms(learner), np.random.default_rng([setting.seed, 30, order]))
        for order, rows in enumerate(orders)
    ]
    setting.tick("repair")
    return np.stack([utility for utility, _ in lanes]), np.stack([tiers for _, tiers in lanes])


def _figures(utility: Floats, tiers: Ints, column: int) -> dict[str, Any]:
    asked = tiers == column
    return {
        "utility": utility.reshape(len(utility), 3, -1).mean(axis=(0, 2)).tolist(),
        "shares": asked.reshape(len(asked), 3, -1).mean(axis=(0, 2)).tolist(),
        **return_figures(asked, 2 * PHASE_CALLS),
    }
