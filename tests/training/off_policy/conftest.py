"""Logs of a world whose truth is known: three models, a judge who errs, climbs after poor scores."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.logged_arms import LoggedArm
from x25.state.records import Call

MODELS = (("v/small", "slm", 1_000), ("v/mid", "mid", 10_000), ("v/large", "frontier", 100_000))
COSTS = np.array([cost for *_, cost in MODELS])
JUDGE_NUSD = 500
RIGHT, WRONG = np.array(DEFAULT_TABLE.right), np.array(DEFAULT_TABLE.wrong)
CENTRES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class World:
    """Logged calls, and what each policy would truly have brought in their contexts."""

    calls: list[Call]
    true: Any
    """P(right) of each model's answer, shape (calls, 3)."""
    propensities: Any
    seen_prob: Any

    def truth(self, probs: Any) -> tuple[float, float]:
        """Return the mean quality and cost in dollars under these probabilities of each arm."""
        looked = self.seen_prob[:, None]
        climbs = np.array([1.0, 1.0, 0.0]) * (self.true * RIGHT[0] + (1.0 - self.true) * WRONG[0])
        kept = self.true * (1.0 - np.array([1.0, 1.0, 0.0]) * RIGHT[0])
        quality = (1.0 - looked) * self.true + looked * (kept + climbs * self.true[:, 2:])
        cost = COSTS + looked * (JUDGE_NUSD + climbs * COSTS[2])
        return float((probs * quality).sum(axis=1).mean()), float((probs * cost).sum(axis=1).mean()) / 1e9


def logged_call(n: int, arms: list[LoggedArm], asked: int, **more: Any) -> Call:
    """Return a call as the log keeps it; `more` replaces fields, and of `decision` single keys."""
    arm = arms[asked]
    decision = {
        "model_id": arm.model_id, "tier": arm.tier, "propensity": arm.propensity, "verification": None,
        "arms": {one.model_id: one.to_row() for one in arms},
        "terms": {
            "reference_cost_nusd": 100_000, "reference_latency_ms": 1_000, "quality_price": 0.1, "latency_price": 0.03,
            "judge_cost": 0.005, "quality_bar": None, "judge": "v/judge",
        },
        "first_verdict": None,
    } | more.pop("decision", {})  # fmt: skip
    fields = {
        "call_id": f"c{n}", "org": "acme", "created_at": datetime(2026, 1, 1, tzinfo=UTC), "status": "answered",
        "task_type": "qa", "task_cell": "qa", "difficulty": 0.0, "model_id": arm.model_id, "provider": "v",
        "tier": arm.tier, "cost_nusd": arm.cost_nusd, "judge_cost_nusd": 0, "reference_cost_nusd": 100_000,
        "quality_score": arm.mean, "quality_source": "estimate", "latency_ms": 1.0, "cascade_steps": 1,
        "escalations": 0, "fallbacks": 0, "propensity": arm.propensity, "router": "auto", "simulated": False,
        "record_hash": "",
    }  # fmt: skip
    return Call(**(fields | more), decision=decision)


def seen(score_bin: int | None, seen_prob: float) -> dict[str, Any]:
    """Return what the log says of a first answer; bin None = nobody looked."""
    is_scored = score_bin is not None
    return {
        "source": "judge" if is_scored else "estimate", "outcome": "scored" if is_scored else "unseen",
        "bin": score_bin,
        "score": CENTRES[score_bin] if is_scored else 0.7, "judge_model": "v/judge" if is_scored else None,
        "seen_prob": seen_prob,
    }  # fmt: skip


def _call(n: int, rng: Any, arms: list[LoggedArm], asked: int, true: Any, seen_prob: float) -> Call:
    is_right, looked = rng.random() < true[asked], rng.random() < seen_prob
    cost = round(COSTS[asked] * rng.lognormal(-0.045, 0.3))
    if not looked:
        return logged_call(n, arms, asked, cost_nusd=cost, decision={"first_verdict": seen(None, seen_prob)})
    shares = RIGHT if is_right else WRONG
    score_bin = min(4, int(np.searchsorted(shares.cumsum(), rng.random())))
    verdict = {"decision": {"first_verdict": seen(score_bin, seen_prob)}, "judge_cost_nusd": JUDGE_NUSD}
    if score_bin > 0 or asked == 2:
        judged = {"quality_score": CENTRES[score_bin], "quality_source": "judge"}
        return logged_call(n, arms, asked, cost_nusd=cost, **judged, **verdict)
    climbed = {"model_id": "v/large", "tier": "frontier", "escalations": 1, "quality_score": float(true[2])}
    return logged_call(n, arms, asked, cost_nusd=cost + COSTS[2].item(), **climbed, **verdict)


@pytest.fixture
def world() -> Callable[..., World]:
    """Return a function that logs calls; predictions are off, and beliefs by a quarter of that."""

    def make(rng: Any, calls: int, *, explores: float = 0.06, is_logged: bool = True) -> World:
        hard = rng.normal(size=(calls, 1))
        predicted = 1.0 / (1.0 + np.exp(0.9 * hard - np.array([0.3, 1.2, 2.0])))
        believed = 1.0 / (1.0 + np.exp(1.0 * hard - np.array([0.6, 1.0, 2.05])))
        true = 1.0 / (1.0 + np.exp(1.1 * hard - np.array([0.7, 0.9, 2.1])))
        wish = np.exp(12.0 * (predicted - np.array([0.01, 0.08, 0.25])))
        mu = (1.0 - explores) * wish / wish.sum(axis=1, keepdims=True) + explores / 3.0
        asked = (rng.random((calls, 1)) > mu.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        seen_prob = np.where(rng.random(calls) < 0.5, 1.0, 0.2)
        made = []
        for n in range(calls if is_logged else 0):
            arms = [
                LoggedArm(model_id, tier, mu[n, k], predicted[n, k], believed[n, k], 40.0, cost, 1_000.0, 1.0)
                for k, (model_id, tier, cost) in enumerate(MODELS)
            ]
            made.append(_call(n, rng, arms, int(asked[n]), true[n], float(seen_prob[n])))
        return World(made, true, mu, seen_prob)

    return make


@pytest.fixture(name="logged_call")
def logged_call_fixture() -> Callable[..., Call]:
    return logged_call


@pytest.fixture(name="seen")
def seen_fixture() -> Callable[..., dict[str, Any]]:
    return seen
