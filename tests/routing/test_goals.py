"""What the weights of cost, quality and latency do to a workload, on the real decision code.

Three tiers with known pass rates answer 1,200 prompts of mixed difficulty; each tier has a cheap model and a fast one
of the same quality. Which answers are right and what the judge says of them is drawn once, so that two settings differ
in their decisions alone. Tolerance of every "never": half a percent of the frontier's cost or latency, half a point of
quality. That is what a few draws among 1,200 can move.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.decide import proceed, select
from x25.routing.plan.terms import Progress, Terms
from x25.routing.plan.weights import PRESETS, latency_price, normalise, quality_price
from x25.state.records import Arm
from x25.state.types import TIERS

PROMPTS = 1_200
REFERENCE_NUSD, REFERENCE_MS = 1_000_000, 1_500.0
MODELS = {
    "slm-cheap": (40_000, 900.0), "slm-fast": (60_000, 200.0),
    "mid-cheap": (250_000, 1_200.0), "mid-fast": (350_000, 400.0),
    "frontier-cheap": (1_000_000, 1_500.0), "frontier-fast": (1_400_000, 800.0),
}  # fmt: skip
"""Cost in nano-dollars and latency in milliseconds of an answer."""
LEVELS = (0.8, 1.7, 2.8)
"""Logit of each tier's pass rate on a prompt of difficulty 0."""
TOLERANCE = 0.005
GRID = (0.05, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class World:
    """What every setting meets alike."""

    probs: np.ndarray
    """Pass rate by prompt and tier."""
    right: np.ndarray
    bins: np.ndarray
    """Bin of the score a judge would give."""


@lru_cache
def world():
    rng = np.random.default_rng(25)
    difficulty = rng.normal(0.0, 1.5, PROMPTS)
    probs = 1.0 / (1.0 + np.exp(difficulty[:, None] - np.array(LEVELS)))
    right = rng.random(probs.shape) < probs
    chances = np.where(right[..., None], DEFAULT_TABLE.right, DEFAULT_TABLE.wrong)
    bins = (rng.random(probs.shape)[..., None] > chances.cumsum(axis=-1)).sum(axis=-1)
    return World(probs, right, bins.clip(max=chances.shape[-1] - 1))


def posterior(prob, score_bin):
    right, wrong = prob * DEFAULT_TABLE.right[score_bin], (1.0 - prob) * DEFAULT_TABLE.wrong[score_bin]
    return right / (right + wrong)


def route(index, terms):
    """Return cost, latency and whether the answer returned is right, for one prompt."""
    seen = world()
    probs = dict(zip(TIERS, seen.probs[index], strict=True))
    arms = [
        Arm(name, "acme", tier, cost, latency, float(probs[tier]), 1.0, 2.0, 100_000, 4_096)
        for name, (cost, latency) in MODELS.items()
        for tier in (name.split("-")[0],)
    ]
    decision, beliefs = select(arms, {}, terms, np.random.default_rng(index), draws=1)
    thetas = {name: belief.theta for name, belief in beliefs.items()}
    held, cost, latency = {}, 0.0, 0.0
    while decision is not None:
        tier = TIERS.index(decision.tier)
        theta = thetas[decision.model_id]
        held[tier] = posterior(theta, seen.bins[index, tier]) if decision.is_judged else theta
        price, delay = MODELS[decision.model_id]
        cost += price + decision.is_judged * terms.prices.judge_cost * REFERENCE_NUSD
        latency += delay
        progress = Progress(thetas, list(held.values()), decision.tier, escalations_left=3 - len(held))
        decision = proceed(arms, progress, terms) if decision.is_judged else None
    return cost, latency, seen.right[index, max(held, key=held.get)]


@lru_cache
def outcome(weights):
    """Return mean cost and latency relative to the frontier, and mean quality; `weights` = (cost, quality, latency)."""
    shares = normalise(dict(zip(("cost", "quality", "latency"), weights, strict=True)))
    prices = PlanPrices(quality_price=quality_price(shares), latency_price=latency_price(shares))
    terms = Terms("plan", prices, REFERENCE_NUSD, REFERENCE_MS, DEFAULT_TABLE, epsilon=0.0, audit_rate=0.0)
    cost, latency, quality = np.mean([route(index, terms) for index in range(PROMPTS)], axis=0)
    return {"cost": cost / REFERENCE_NUSD, "latency": latency / REFERENCE_MS, "quality": quality}


def sweep(goal):
    """Return the goal's mean at each grid point, its weight rising and the rest shared evenly."""
    found = []
    for weight in GRID:
        shares = dict.fromkeys(("cost", "quality", "latency"), (1.0 - weight) / 2.0) | {goal: weight}
        found.append(outcome(tuple(shares.values()))[goal])
    return np.array(found)


def preset(name):
    return outcome(tuple(PRESETS[name][goal] for goal in ("cost", "quality", "latency")))


@pytest.mark.slow
@pytest.mark.parametrize("goal", ["cost", "latency"])
def test_raising_the_weight_of_cost_or_latency_never_raises_its_mean(goal):
    means = sweep(goal)
    assert (np.diff(means) <= TOLERANCE).all(), means
    assert means[-1] < means[0] - 0.02, means


@pytest.mark.slow
def test_raising_the_weight_of_quality_never_lowers_mean_quality():
    means = sweep("quality")
    assert (np.diff(means) >= -TOLERANCE).all(), means
    assert means[-1] > means[0] + 0.02, means


@pytest.mark.slow
def test_the_four_presets_order_one_workload_as_their_names_say():
    found = {name: preset(name) for name in ("cost-first", "quality-first", "balanced", "latency-first")}
    cost, quality, latency = (
        {name: one[goal] for name, one in found.items()} for goal in ("cost", "quality", "latency")
    )
    assert cost["cost-first"] < cost["balanced"] < cost["quality-first"]
    assert quality["quality-first"] > quality["balanced"] > quality["cost-first"]
    assert latency["latency-first"] < latency["balanced"] < latency["quality-first"]
    assert min(latency, key=latency.get) == "latency-first"
    assert max(quality, key=quality.get) == "quality-first"


@pytest.mark.slow
def test_a_goal_without_weight_is_not_paid_for():
    assert outcome((0.0, 1.0, 0.0))["quality"] == pytest.approx(outcome((0.0, 5.0, 0.0))["quality"])
    assert outcome((0.0, 1.0, 0.0))["cost"] > outcome((0.5, 0.5, 0.0))["cost"]
