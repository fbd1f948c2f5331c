"""What learning costs: the reward missed against the best recorded answer of each prompt."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .episodes import Trace, orders_of, run
from .learners import COLD, Bandit, Chance, Classic, Greedy, Offset
from .linear import LinUCB, cold_prior, warm_prior
from .streams import Replayed, Side, cold_probs

Floats = NDArray[np.float64]

EARLY_STEPS = 200
CURVE_POINTS = 60
COLD_WIDTH, WARM_WIDTH = 1.0, 0.05
"""Standard errors LinUCB adds, with and without the warm side; the second is the best of five on the warm side."""


@dataclass(frozen=True)
class Setting:
    """One replay: its random orders, its seed, and whom to tell of progress."""

    orders: int = 20
    seed: int = 7
    tick: Callable[[str], None] = field(default=lambda _: None)

    def rng(self, *names: object) -> np.random.Generator:
        """Return a generator of its own for one part of the replay, so that parts do not move each other."""
        return np.random.default_rng([self.seed, *"/".join(map(str, names)).encode()])


def learners(replayed: Replayed, orders: int) -> dict[str, tuple[Bandit, float]]:
    """Return each learner compared, by name, and the share of its choices whose reward it is shown."""
    side, arms = replayed.stream, len(replayed.stream.models)
    constants = cold_probs(side)
    dimension = side.contexts.shape[1]
    compared: dict[str, tuple[Bandit, float]] = {
        "x25 cold": (Offset(constants, orders, COLD), 1.0),
        "x25 cold, 10 % judged": (Offset(constants, orders, COLD), 0.1),
        "x25-classic": (Classic(arms, orders), 1.0),
        "linucb cold": (LinUCB(side, orders, cold_prior(arms, dimension), COLD_WIDTH), 1.0),
        "random": (Chance(arms), 1.0),
    }
    if replayed.warm is None:
        return compared
    prior = warm_prior(side, replayed.warm)
    return {
        "x25 warm": (Offset(side.probs, orders), 1.0),
        "x25 warm, arm residuals": (Offset(side.tuned_probs, orders), 1.0),
        "x25 warm, 10 % judged": (Offset(side.probs, orders), 0.1),
        "greedy p(x)": (Greedy(side.probs), 1.0),
        "linucb warm": (LinUCB(side, orders, prior, WARM_WIDTH), 1.0),
        **compared,
    }


def measure_regret(replayed: Replayed, setting: Setting) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return figures by learner, and curves: mean cumulative regret of each at some sixty steps.

    Rewards are means over all steps and orders, regrets are sums over a whole stream.
    """
    side = replayed.stream
    orders = orders_of(len(side), setting.orders, setting.seed)
    figures: dict[str, Any] = {}
    curves: dict[str, Any] = {}
    for name, (bandit, judged) in learners(replayed, setting.orders).items():
        trace = run(side, bandit, orders, setting.rng("regret", name), judged=judged)
        missed = side.best[orders] - trace.rewards
        figures[name], curves[name] = summary(trace.rewards, missed), curve(missed)
        setting.tick(f"regret: {name}")
    for arm, model in enumerate(side.models):
        name, rewards = f"always {model}", side.rewards[orders, arm]
        missed = side.best[orders] - rewards
        figures[name], curves[name] = summary(rewards, missed), curve(missed)
    steps = curve_steps(len(side))
    return figures, {"steps": (steps + 1).tolist(), "regret": curves}


def summary(rewards: Floats, missed: Floats) -> dict[str, float]:
    """Return reward, regret, its spread over orders, the worst order's, and the regret of the first steps."""
    totals = missed.sum(axis=1)
    return {
        "reward": float(rewards.mean()),
        "regret": float(totals.mean()),
        "regret_sd": float(totals.std()),
        "worst_order": float(totals.max()),
        "at_200": float(missed[:, :EARLY_STEPS].sum(axis=1).mean()),
    }


def curve_steps(length: int) -> NDArray[np.int64]:
    """Return some sixty steps, evenly, the last among them."""
    return np.unique(np.linspace(0, length - 1, min(CURVE_POINTS, length)).round().astype(np.int64))


def curve(missed: Floats) -> list[float]:
    """Return the mean cumulative regret at the steps of a curve."""
    total = missed.cumsum(axis=1).mean(axis=0)
    return [round(float(value), 4) for value in total[curve_steps(missed.shape[1])]]


def posterior_curve(trace: Trace, side: Side) -> Mapping[str, list[float]]:
    """Return what each arm was held to be worth at the steps of a curve, smoothed over as many steps as a point."""
    width = max(1, len(trace.means) // CURVE_POINTS)
    kernel = np.ones(width) / width
    steps = curve_steps(len(trace.means))
    smooth = {
        model: np.convolve(trace.means[:, arm], kernel, "same") for arm, model in enumerate(side.models)
    }
    # The ends of a convolution see fewer steps than its width.
    seen = np.convolve(np.ones(len(trace.means)), kernel, "same")
    return {model: [round(float(v), 4) for v in (values / seen)[steps]] for model, values in smooth.items()}
