"""Whom would another router config have asked first? The serving functions decide again on logged beliefs.

They are given mean and strength of each model's belief, prices and terms as logged, and the config's own strategy,
models and exploration. Probabilities are over `DRAWS` draws. What the org's first calls try
for the first time, and what is tried under a quality bar while it is unknown, is not drawn again: both end by
themselves.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ...routing.plan.cascade import PlanPrices, PlanResult, plan
from ...routing.plan.configs import RouterConfig
from ...routing.plan.exploration import Chance
from ...routing.plan.ladder import Ladder, climb
from ...routing.plan.threshold import choose_set
from ...state.logged_arms import LoggedArm
from ...state.records import Arm
from .log import Decided

Floats = NDArray[np.float64]
DRAWS = 192
_PRICES = ("quality_price", "latency_price", "judge_cost")


def router_probs(call: Decided, config: RouterConfig, rng: np.random.Generator) -> Floats | None:
    """Return the probability of each logged arm; None where the config may ask none of them."""
    allowed = [n for n, arm in enumerate(call.arms) if not config.models or arm.model_id in config.models]
    if not allowed:
        return None
    arms = [call.arms[n] for n in allowed]
    probs = np.zeros(len(call.arms))
    is_rule = config.strategy == "threshold"
    probs[allowed] = _threshold(arms, call, config) if is_rule else _drawn(arms, call, config, rng)
    return probs


def _threshold(arms: Sequence[LoggedArm], call: Decided, config: RouterConfig) -> Floats:
    cost, latency = _reference(call.terms)
    chosen = choose_set(
        [_completing(arm) for arm in arms],
        config.rule,
        reference_cost_nusd=cost,
        reference_latency_ms=latency,
    ).model_ids[0]
    return np.array([float(arm.model_id == chosen) for arm in arms])


def _completing(arm: LoggedArm) -> Arm:
    """Return an arm that completes where it answers at all and the answer is good."""
    return replace(arm.as_arm(), completion_prob=arm.completion_prob * arm.availability)


def _drawn(
    arms: Sequence[LoggedArm], call: Decided, config: RouterConfig, rng: np.random.Generator
) -> Floats:
    mean = np.clip([arm.mean for arm in arms], 1e-3, 1.0 - 1e-3)
    strength = np.clip([arm.strength for arm in arms], 1.0, 2_000.0)
    thetas = rng.beta(strength * mean, strength * (1.0 - mean), size=(DRAWS, len(arms)))
    is_plan = config.strategy == "plan"
    prices = _prices(call.terms) if is_plan else PlanPrices(0.0, 0.0, 0.0)
    reference = _reference(call.terms) if is_plan else (0.0, 0.0)
    table = DEFAULT_TABLE if call.terms.get("judge") else None
    ladder = climb([arm.as_arm() for arm in arms], thetas, prices, reference)
    actions = _actions(ladder, prices, table, config)
    chance = Chance(config.epsilon, (config.audit_rate,) * len(arms), table is not None)
    return chance.arm_probs(ladder, actions, len(arms), chance.exploration(ladder, actions))


def _actions(
    ladder: Ladder, prices: PlanPrices, table: JudgeTable | None, config: RouterConfig
) -> PlanResult:
    if config.strategy == "classic":
        best = ladder.expected.argmax(axis=1)
        return PlanResult(best, np.full(len(best), table is not None), ladder.expected.max(axis=1))
    usable = table if config.max_escalations else None
    return plan(*ladder.sight, None, usable, prices, max_answers=config.max_escalations + 1)


def _reference(terms: dict[str, Any]) -> tuple[float, float]:
    cost, latency = (terms.get(name) for name in ("reference_cost_nusd", "reference_latency_ms"))
    return float(cost or 1.0), float(latency or 1.0)


def _prices(terms: dict[str, Any]) -> PlanPrices:
    given = {name: float(terms[name]) for name in _PRICES if isinstance(terms.get(name), float | int)}
    bar = terms.get("quality_bar")
    return PlanPrices(**given, quality_bar=float(bar) if isinstance(bar, float | int) else None)
