import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.configs import RouterConfig
from x25.routing.plan.decide import select
from x25.routing.plan.terms import Terms
from x25.state.logged_arms import LoggedArm
from x25.state.records import Arm, Evidence
from x25.training.off_policy.log import Decided
from x25.training.off_policy.outcomes import Worth
from x25.training.off_policy.replayed import router_probs

ARMS = [
    Arm("v/small", "p", "slm", 10_000, 500.0, 0.75, 0.1, 0.4, 100_000, 4_096),
    Arm("v/mid", "p", "mid", 40_000, 800.0, 0.82, 0.1, 0.4, 100_000, 4_096),
    Arm("v/large", "p", "frontier", 100_000, 1_000.0, 0.9, 0.1, 0.4, 100_000, 4_096),
]
EVIDENCE = {arm.model_id: Evidence(arm.model_id, "qa", weight=60.0, weight_total=60.0, reward_sum=45.0,
                                   predicted_sum=45.0, calls_seen=400) for arm in ARMS}  # fmt: skip


def terms_of(config):
    prices = PlanPrices(0.1, 0.03, judge_cost=0.02)
    return Terms(config.strategy, prices, 100_000, 1_000.0, DEFAULT_TABLE, epsilon=config.epsilon,
                 audit_rate=config.audit_rate, max_escalations=config.max_escalations, rule=config.rule)  # fmt: skip


def logged(probs, beliefs):
    arms = tuple(
        LoggedArm(arm.model_id, arm.tier, probs[arm.model_id], arm.completion_prob, beliefs[arm.model_id].mean, 90.0,
                  arm.expected_cost_nusd, arm.expected_latency_ms, 1.0) for arm in ARMS
    )  # fmt: skip
    terms = {"reference_cost_nusd": 100_000, "reference_latency_ms": 1_000, "quality_price": 0.1,
             "latency_price": 0.03, "judge_cost": 0.02, "judge": "v/judge"}  # fmt: skip
    return Decided(arms, 0, terms, Worth(0.5, 1.0, "judge"), 1.0, "auto", "qa")


@pytest.mark.parametrize(
    "config",
    [RouterConfig("auto"), RouterConfig("curious", epsilon=0.5), RouterConfig("rule", strategy="threshold"),
     RouterConfig("one", max_escalations=0)],
    ids=lambda config: config.name,
)  # fmt: skip
def test_the_router_that_decided_is_found_to_decide_alike(config):
    rng = np.random.default_rng(5)
    decided = [select(ARMS, EVIDENCE, terms_of(config), rng) for _ in range(40)]
    serving = np.mean([[one.arm_probs[arm.model_id] for arm in ARMS] for one, _ in decided], axis=0)
    again = np.mean(
        [router_probs(logged(one.arm_probs, beliefs), config, rng) for one, beliefs in decided], axis=0
    )
    assert again.sum() == pytest.approx(1.0)
    assert again == pytest.approx(serving, abs=0.04)


def test_a_smaller_pool_is_asked_among_itself_and_a_strange_one_not_at_all():
    decision, beliefs = select(ARMS, EVIDENCE, terms_of(RouterConfig("auto")), np.random.default_rng(1))
    call = logged(decision.arm_probs, beliefs)
    pair = router_probs(call, RouterConfig("pair", models=("v/mid", "v/large")), np.random.default_rng(1))
    assert pair[0] == 0.0
    assert pair.sum() == pytest.approx(1.0)
    assert router_probs(call, RouterConfig("none", models=("v/else",)), np.random.default_rng(1)) is None


def test_the_classic_strategy_asks_the_best_draw():
    decision, beliefs = select(ARMS, EVIDENCE, terms_of(RouterConfig("auto")), np.random.default_rng(1))
    classic = RouterConfig("classic", strategy="classic", epsilon=0.0)
    probs = router_probs(logged(decision.arm_probs, beliefs), classic, np.random.default_rng(1))
    assert probs.argmax() == 2
