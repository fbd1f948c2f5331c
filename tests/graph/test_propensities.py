"""Whatever a call does, the probabilities it logs are of its arms, sum to one and name the one that was asked."""

import asyncio
from collections import Counter

import pytest

from x25.state.logged_arms import logged_arms

KINDS = {
    "learning": {},
    "explored": {"router": "curious"},
    "pinned": {"router": "sim/medium-4"},
    "classic": {"router": "x25-classic"},
    "threshold": {"router": "xrouter-classic"},
    "smaller pool": {"router": "quality-pair"},
    "constrained": {"policy": {"max_tier": "mid"}},
    "quality bar": {"policy": {"quality_bar": 0.8}},
    "quality first": {"optimize_for": "quality-first"},
}


@pytest.fixture
async def curious(open_gateway, tmp_path):
    folder = tmp_path / "routers"
    folder.mkdir()
    (folder / "curious.yaml").write_text("name: curious\nstrategy: plan\nepsilon: 1.0\naudit_rate: 1.0\n")
    return await open_gateway(routers_dir=folder)


async def decision_of(cascade, request):
    reply = await cascade.route({"prompt": "What is the capital of France?", **request})
    call = await cascade.services.store.calls.get("default", reply["call_id"])
    return reply, call, logged_arms(call.decision)


def assert_sound(call, arms):
    assert sum(arm.propensity for arm in arms) == pytest.approx(1.0, abs=1e-6)
    assert min(arm.propensity for arm in arms) >= 0.0
    asked = next(arm for arm in arms if arm.model_id == call.decision["model_id"])
    assert asked.propensity == pytest.approx(call.propensity, abs=1e-6)
    assert asked.propensity > 0.0


@pytest.mark.parametrize("kind", KINDS)
async def test_probabilities_over_arms_sum_to_one_and_hold_the_logged_one(curious, kind):
    for _ in range(6):
        reply, call, arms = await decision_of(curious, KINDS[kind])
        assert_sound(call, arms)
        told = {one["model_id"]: one["propensity"] for one in reply["explain"]["candidates"]}
        assert told == pytest.approx({arm.model_id: arm.propensity for arm in arms}, abs=1e-6)
        if kind == "explored":
            assert call.decision["explored"] or call.propensity < 1.0
        if kind in {"pinned", "threshold"}:
            assert call.propensity == 1.0


async def test_after_a_failover_they_are_those_of_the_first_decision(curious, fault):
    fault("500", "sim/tiny-*", "sim/small-*")
    for _ in range(4):
        _, call, arms = await decision_of(curious, {"optimize_for": "cost-first"})
        assert_sound(call, arms)


async def test_in_a_conversation_they_are_of_the_arms_that_may_follow(curious):
    first, call, _ = await decision_of(curious, {"router": "sim/medium-4"})
    messages = [
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": first["text"]},
        {"role": "user", "content": "And of Spain?"},
    ]
    reply = await curious.route({"messages": messages})
    call = await curious.services.store.calls.get("default", reply["call_id"])
    arms = logged_arms(call.decision)
    assert_sound(call, arms)
    assert "slm" not in {arm.tier for arm in arms}


@pytest.mark.slow
async def test_models_are_asked_about_as_often_as_their_probabilities_say(curious):
    replies = await asyncio.gather(
        *(curious.route({"prompt": f"Say {n}.", "router": "curious"}) for n in range(120))
    )
    expected, asked = Counter(), Counter()
    for reply in replies:
        call = await curious.services.store.calls.get("default", reply["call_id"])
        asked[call.decision["tier"]] += 1
        for arm in logged_arms(call.decision):
            expected[arm.tier] += arm.propensity
    for tier, mean in expected.items():
        deviation = 4.0 * (mean * (1.0 - mean / 120)) ** 0.5
        assert abs(asked[tier] - mean) <= deviation + 1.0
