"""How soon a learner notices that an arm changed, what that costs, and how soon it comes back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.thompson import Learner
from .episodes import Trace, World, orders_of, run
from .ladder import ceiling_for
from .learners import RUBRIC, Bandit, Classic, Greedy, Offset
from .regret import Setting, curve_steps, posterior_curve
from .streams import Replayed, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WORSE = 0.82
"""Part of its reward that a worse arm keeps."""
PRICE_CUT = 76.0
NEW_ARM_TRUST = 0.9
"""A new arm is taken to be worth this part of the middle arm's prediction, as sixty observations would."""
NEW_ARM_OBSERVATIONS = 60.0
LOST_SHARE = 0.3
"""An arm counts as left when its share is below this part of what it was."""
BACK_SHARE = 0.7
WINDOW_STEPS = 20
"""Steps a share is averaged over, beside the orders; half of them delay what is noticed."""
RESAMPLES = 2_000
STABLE_WITHIN = 0.25
STABLE_STEPS = 60
"""The share of a new arm is small, so it is averaged over more steps."""


@dataclass(frozen=True)
class Scenario:
    """Which arm changes how in the middle third of the stream, and under what ceiling."""

    arm: int
    """Column of the arm, counted from the cheapest; negative from the dearest."""
    ceiling_usd: float | None = None
    reward_factor: float = 1.0
    cost_factor: float = 1.0
    arrives: bool = False
    """Whether it is not there before, and stays once it came."""


STEADY = "steady"
SCENARIOS = {
    "frontier-worse": Scenario(arm=-1, reward_factor=WORSE),
    "mid-worse": Scenario(arm=1, reward_factor=WORSE, ceiling_usd=0.00065),
    "price-cut": Scenario(arm=-1, cost_factor=1.0 / PRICE_CUT, ceiling_usd=0.0003),
    "new-model": Scenario(arm=-1, arrives=True, ceiling_usd=0.0017),
    STEADY: Scenario(arm=-1),
}


def world_of(scenario: Scenario, steps: int, arms: int) -> World:
    """Return the scenario step by step; the middle third is the phase in which the arm differs."""
    arm = scenario.arm % arms
    first, second = steps // 3, 2 * steps // 3
    reward, cost = np.ones((2, steps, arms))
    reward[first:second, arm], cost[first:second, arm] = scenario.reward_factor, scenario.cost_factor
    is_there = np.ones((steps, arms), dtype=np.bool_)
    if scenario.arrives:
        is_there[:first, arm] = False
    return World(reward, cost, is_there)


def measure_drift(
    replayed: Replayed, newcomer: Replayed | None, names: list[str], setting: Setting
) -> dict[str, Any]:
    """Return figures and curves by scenario and learner.

    Parameters
    ----------
    newcomer
        The same prompts with the new arm as the last one, for "new-model"; that scenario is left out when None.
    """
    found = {}
    for name in names:
        scenario = SCENARIOS[name]
        chosen = newcomer if scenario.arrives else replayed
        if chosen is None:
            continue
        traces = {learner: _run(chosen, name, learner, setting) for learner in LEARNERS}
        side, is_paced = chosen.stream, scenario.ceiling_usd is not None
        found[name] = {
            learner: _figures(trace, side, scenario, is_paced) for learner, trace in traces.items()
        }
        paired = (traces["x25, no return"].rewards - traces["x25"].rewards).sum(axis=1)
        found[name]["x25"] |= interval("regret_of_return", paired, np.mean)
    return found


def _x25(
    side: Side, scenario: Scenario, orders: int, *, watches: bool = True, learner: Learner = RUBRIC
) -> Bandit:
    strengths = None
    if scenario.arrives:
        strengths = np.array([*[RUBRIC.n0] * (len(side.models) - 1), NEW_ARM_OBSERVATIONS])
    return Offset(side.probs, orders, learner, watches=watches, strengths=strengths)


LEARNERS: dict[str, Callable[[Side, Scenario, int], Bandit]] = {
    "x25": _x25,
    "x25, no return": partial(_x25, learner=replace(RUBRIC, return_hazard=0.0)),
    "x25, no detector": partial(_x25, watches=False),
    "x25-classic": lambda side, _, orders: Classic(len(side.models), orders),
    "greedy p(x)": lambda side, _, __: Greedy(side.probs),
}
"""What is compared. As served, an arm that became worse is asked again some day, as it may have been repaired; "no
return" believes what was seen of it last for ever."""


def _announced(side: Side) -> Side:
    """Return the side as it looks when nothing was logged of its last arm, and only its price list is known."""
    probs, predicted = side.probs.copy(), side.predicted_usd.copy()
    probs[:, -1] = NEW_ARM_TRUST * probs[:, 1]
    predicted[:, -1] = predicted[:, -1].mean()
    return replace(side, probs=probs, predicted_usd=predicted)


def _run(replayed: Replayed, name: str, learner: str, setting: Setting) -> Trace:
    """Return what a learner does; all meet the same orders and begin with the same chance."""
    scenario = SCENARIOS[name]
    side = _announced(replayed.stream) if scenario.arrives else replayed.stream
    orders = orders_of(len(side), setting.orders, setting.seed)
    world = world_of(scenario, len(side), len(side.models))
    ceiling = None if scenario.ceiling_usd is None else ceiling_for(replayed, scenario.ceiling_usd)
    bandit = LEARNERS[learner](side, scenario, setting.orders)
    trace = run(side, bandit, orders, setting.rng("drift", name), ceiling=ceiling, world=world)
    setting.tick(f"{name}, {learner}")
    return trace


def _figures(trace: Trace, side: Side, scenario: Scenario, is_paced: bool) -> dict[str, Any]:
    steps = trace.arms.shape[1]
    first, second = steps // 3, 2 * steps // 3
    arm = scenario.arm % len(side.models)
    share = trailing(trace.share(arm), WINDOW_STEPS)
    phases = (slice(0, first), slice(first, second), slice(second, steps))
    usual = float(trace.share(arm)[first // 2 : first].mean())
    lanes = [(trace.arms[:, phase] == arm).mean(axis=1) for phase in phases]
    figures = {
        "phase_rewards": [float(trace.rewards[:, phase].mean()) for phase in phases],
        "phase_shares": [float(lane.mean()) for lane in lanes],
        "best_fixed": _best_fixed(side, world_of(scenario, steps, len(side.models))),
        "false_alarms_before": int(trace.alarms[:, phases[0]].sum()),
        "curves": {
            "steps": (curve_steps(steps) + 1).tolist(),
            "share": {model: _shares(trace, one) for one, model in enumerate(side.models)},
            "posterior_mean": posterior_curve(trace, side),
        },
    }
    if is_paced:
        figures["usd_per_call"] = float(trace.costs_usd.mean())
    if scenario.arrives:
        steady = trailing(trace.share(arm), STABLE_STEPS)[first:second]
        return figures | {"steps_to_stable_share": stable_after(steady)}
    if scenario.cost_factor != 1.0:
        level = float(trace.share(arm)[(first + second) // 2 : second].mean())
        return figures | {
            "steps_to_take_up": first_where(np.asarray(share[first:second] >= BACK_SHARE * level))
        }
    if scenario.reward_factor == 1.0:
        return figures | {"regret": float((side.best[trace.rows] - trace.rewards).sum(axis=1).mean())}
    alarm = [first_where(lane) for lane in trace.alarms[:, phases[1]]]
    alarms = [one for one in alarm if one is not None]
    return figures | {
        "detection_steps": first_where(np.asarray(share[first:second] < LOST_SHARE * usual)),
        **return_figures(trace.arms == arm, second),
        "orders_that_left": float((lanes[1] < 0.5 * lanes[0]).mean()),
        "median_alarm_step": float(np.median(alarms)) if alarms else None,
        "orders_alarmed": len(alarms) / len(alarm),
    }


def return_figures(asked: NDArray[np.bool_], repaired: int) -> dict[str, Any]:
    """Return the median of `calls_to_come_back` with its interval, and the part of the orders that came back."""
    back = calls_to_come_back(asked, repaired)
    came = {"orders_that_came_back": float(np.isfinite(back).mean())}
    return interval("calls_to_come_back", back, np.median) | came


def calls_to_come_back(asked: NDArray[np.bool_], repaired: int) -> Floats:
    """Return after how many calls each order gives a repaired arm its share of before again; infinite where never.

    Parameters
    ----------
    asked
        Whether the arm was asked, shape (orders, steps).
    repaired
        Step of the repair; the second half of the first third says what the arm's share was.
    """
    first = asked.shape[1] // 3
    usual = asked[:, first // 2 : first].mean(axis=1)
    after = [
        first_where(
            np.asarray(trailing(lane.astype(np.float64), WINDOW_STEPS)[repaired:] >= BACK_SHARE * share)
        )
        for lane, share in zip(asked, usual, strict=True)
    ]
    return np.array([np.inf if calls is None else calls for calls in after])


def interval(name: str, values: Floats, measure: Callable[..., Any]) -> dict[str, Any]:
    """Return a mean or median over orders, and its 95 % bootstrap interval; None where infinite."""
    drawn = np.random.default_rng(0).choice(values, (RESAMPLES, len(values)))
    bounds = np.quantile(measure(drawn, axis=1), (0.025, 0.975), method="inverted_cdf")
    value, *ends = (float(one) if np.isfinite(one) else None for one in (measure(values), *bounds))
    return {name: value, f"{name}_ci95": ends}


def _shares(trace: Trace, arm: int) -> list[float]:
    share = trailing(trace.share(arm), WINDOW_STEPS)
    return [round(float(value), 4) for value in share[curve_steps(len(share))]]


def _best_fixed(side: Side, world: World) -> float:
    """Return the highest mean reward of one arm in the middle phase, whatever it costs."""
    middle = len(world.reward_factor) // 2
    means = side.rewards.mean(axis=0) * world.reward_factor[middle]
    return float(means[world.is_there[middle]].max())


def trailing(values: Floats, width: int) -> Floats:
    """Return the mean of the last `width` values at each step, of fewer at the beginning."""
    total = np.concatenate([[0.0], values.cumsum()])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    means: Floats = (total[ends] - total[starts]) / (ends - starts)
    return means


def first_where(condition: NDArray[np.bool_]) -> int | None:
    """Return after how many steps a condition first holds, counted from 1; None when it never does."""
    index = np.flatnonzero(condition)
    return int(index[0]) + 1 if len(index) else None


def stable_after(share: Floats) -> int | None:
    """Return after how many steps a share stays within a quarter of its final level for a window of steps."""
    level = share[len(share) // 2 :].mean()
    near = np.abs(share - level) <= STABLE_WITHIN * level
    runs = np.lib.stride_tricks.sliding_window_view(near, WINDOW_STEPS).all(axis=1)
    return first_where(np.asarray(runs))
