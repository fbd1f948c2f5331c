"""What learning promises over many seeds, on the decision code alone: models of known pass rates, no network."""

import numpy as np
import pytest

from x25.routing.belief.judge_table import JudgeTable
from x25.routing.belief.thompson import DEFAULT_LEARNER
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.decide import proceed, select
from x25.routing.plan.terms import Progress, Terms
from x25.state.records import Arm
from x25.state.types import TIERS
from x25.training.replay.memory import Memory

SHARP = JudgeTable(
    "sharp", (0.2, 0.4, 0.6, 0.8), right=(0.01, 0.02, 0.05, 0.12, 0.80), wrong=(0.80, 0.12, 0.05, 0.02, 0.01)
)
"""An exact check's table: AUC .99."""
COSTS = {"slm": 120_000, "mid": 200_000, "frontier": 1_000_000}
PREDICTED = {"slm": 0.60, "mid": 0.75, "frontier": 0.85}
PRICES = PlanPrices(quality_price=0.3, latency_price=0.0, judge_cost=0.01)
CALLS = 200


def arm(tier: str, prob: float) -> Arm:
    return Arm(
        model_id=tier, provider="", tier=tier, expected_cost_nusd=COSTS[tier], expected_latency_ms=0.0,
        completion_prob=prob, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0, context_tokens=1_000_000,
        max_output_tokens=1_000_000,
    )  # fmt: skip


class Org:
    """One org's stream: every prompt alike, answers right with known probability, judged by `SHARP`."""

    def __init__(
        self,
        pass_rates: dict[str, float],
        seed: int,
        predicted: dict[str, float] = PREDICTED,
        *,
        learns: bool = True,
    ) -> None:
        self.pass_rates, self.learns = pass_rates, learns
        self.arms = [arm(tier, predicted[tier]) for tier in TIERS]
        self.rng = np.random.default_rng(seed)
        self.memory = Memory({tier: tier for tier in TIERS}, DEFAULT_LEARNER)
        self.weights = SHARP.reward_weights()
        self.calls = 0
        self.first: list[str] = []
        self.judged_tiers: list[str] = []
        self.utility: list[float] = []

    def ask(self, tier: str, *, judged: bool) -> tuple[bool, int | None]:
        right = bool(self.rng.random() < self.pass_rates[tier])
        if not judged:
            return right, None
        self.judged_tiers.append(tier)
        return right, int(self.rng.choice(5, p=SHARP.right if right else SHARP.wrong))

    def call(self) -> None:
        terms = Terms("plan", PRICES, COSTS["frontier"], 1.0, SHARP)
        decision, beliefs = select(self.arms, self.memory.read(), terms, self.rng, draws=8)
        thetas = {name: belief.theta for name, belief in beliefs.items()}
        self.first.append(decision.tier)
        first, spent, held, climbs = decision, 0.0, [], 0
        while decision is not None:
            right, seen = self.ask(decision.tier, judged=decision.is_judged)
            spent += PRICES.quality_price * COSTS[decision.tier] / COSTS["frontier"]
            spent += PRICES.quality_price * PRICES.judge_cost * decision.is_judged
            theta = thetas[decision.tier]
            held.append((theta if seen is None else SHARP.posterior(theta, seen), right))
            if decision is first and seen is not None and self.learns:
                self.memory.add(
                    decision.tier, float(self.weights[seen]), first_prob(self.arms, decision), self.calls + 1
                )
            believed = [quality for quality, _ in held]
            progress = Progress(thetas, believed, decision.tier, escalations_left=2 - climbs)
            decision = proceed(self.arms, progress, terms)
            climbs += 1
        self.utility.append(max(held)[1] - spent)
        self.calls += 1

    def run(self, calls: int) -> "Org":
        for _ in range(calls):
            self.call()
        return self


def first_prob(arms, decision) -> float:
    return next(one.completion_prob for one in arms if one.model_id == decision.model_id)


def share(org: Org, tier: str, last: int) -> float:
    return org.first[-last:].count(tier) / last


@pytest.mark.slow
def test_with_equal_pass_rates_the_cheapest_tier_has_nine_tenths_of_the_traffic_after_200_calls():
    shares = [share(Org(dict.fromkeys(TIERS, 0.85), seed).run(300), "slm", 100) for seed in range(8)]
    assert np.mean(shares) >= 0.9


@pytest.mark.slow
def test_where_the_cheapest_tier_fails_traffic_moves_up():
    shares = [
        share(Org({"slm": 0.1, "mid": 0.9, "frontier": 0.92}, seed).run(300), "slm", 100) for seed in range(8)
    ]
    assert np.mean(shares) <= 0.1


SCENARIOS = {
    "the small model is as good": ({"slm": 0.92, "mid": 0.93, "frontier": 0.95}, PREDICTED, "slm"),
    "only the mid model will do": ({"slm": 0.10, "mid": 0.92, "frontier": 0.95}, PREDICTED, "mid"),
    "the prediction has it backwards": (
        {"slm": 0.92, "mid": 0.60, "frontier": 0.65}, {"slm": 0.60, "mid": 0.90, "frontier": 0.90}, "slm",
    ),
    "a mid model everybody underrated": (
        {"slm": 0.15, "mid": 0.95, "frontier": 0.95}, {"slm": 0.60, "mid": 0.62, "frontier": 0.85}, "mid",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_best_tier_is_asked_first_by_call_200_in_nine_of_ten_seeds(name):
    pass_rates, predicted, best = SCENARIOS[name]
    settled = [share(Org(pass_rates, seed, predicted).run(CALLS), best, 40) >= 0.9 for seed in range(20)]
    assert np.mean(settled) >= 0.9


@pytest.mark.slow
def test_regret_grows_slower_than_the_calls_and_less_than_that_of_a_frozen_policy():
    rates, wrong = {"slm": 0.92, "mid": 0.60, "frontier": 0.65}, {"slm": 0.30, "mid": 0.90, "frontier": 0.90}
    best = rates["slm"] - PRICES.quality_price * COSTS["slm"] / COSTS["frontier"]
    learning = np.mean([Org(rates, seed, wrong).run(600).utility for seed in range(6)], axis=0)
    frozen = np.mean([Org(rates, seed, wrong, learns=False).run(600).utility for seed in range(6)], axis=0)
    early, late = best - learning[:300].mean(), best - learning[300:].mean()
    assert late < 0.5 * early
    assert learning[300:].mean() > frozen[300:].mean() + 0.1


def test_what_an_org_observes_of_a_model_moves_its_traffic_there():
    before = Org({"slm": 0.1, "mid": 0.9, "frontier": 0.9}, 1).run(200)
    before.pass_rates = {"slm": 0.97, "mid": 0.9, "frontier": 0.9}
    assert share(before, "slm", 50) < 0.3
    before.run(600)
    assert share(before, "slm", 50) > 0.5


@pytest.mark.slow
def test_every_tier_was_tried_and_judged_before_the_exploring_stage_ended():
    for seed in range(30):
        org = Org({"slm": 0.95, "mid": 0.95, "frontier": 0.95}, seed).run(49)
        assert set(org.judged_tiers) == set(TIERS)


@pytest.mark.slow
def test_the_share_of_the_best_tier_rises_after_exploring():
    orgs = [Org({"slm": 0.1, "mid": 0.9, "frontier": 0.92}, seed).run(200) for seed in range(6)]
    early = np.mean([org.first[:49].count("mid") / 49 for org in orgs])
    late = np.mean([share(org, "mid", 100) for org in orgs])
    assert late > early
