from datetime import UTC, datetime

import pytest

from x25.graph.bootstrap import SIMULATED_MODELS
from x25.providers.registry import load_registry
from x25.state.records import Attempt, Call
from x25.state.store import open_store
from x25.training.org.advice import advise_org

NOW = datetime(2025, 1, 1, tzinfo=UTC)
POOL = (("sim/tiny-1", "slm"), ("sim/large-5", "frontier"))


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def log(store, number, model_id, tier):
    call_id, name = f"c{number}-{tier}", f"a{number}-{tier}"
    attempt = {
        "attempt_id": name, "org": "acme", "call_id": call_id, "step": 0, "kind": "answer", "model_id": model_id,
        "tier": tier, "deployment": "d", "reserved_nusd": 9, "started_at": NOW,
    }  # fmt: skip
    await store.attempts.start(Attempt(**attempt, status="started"))
    await store.attempts.finish(Attempt(**attempt, status="finished", cost_nusd=1_000, prompt_tokens=500))
    await store.calls.record(Call(
        call_id=call_id, org="acme", created_at=NOW, status="answered", task_type="qa", task_cell="qa",
        difficulty=0.1 * (number % 7 - 3), model_id=model_id, provider="sim", tier=tier, cost_nusd=1_000,
        judge_cost_nusd=0, reference_cost_nusd=9_000, quality_score=0.5, quality_source="judge", latency_ms=2.0,
        cascade_steps=1, escalations=0, fallbacks=0, propensity=1.0, router="auto", simulated=True, record_hash="",
        decision={"optimize_for": {"cost": 0.33, "quality": 0.34, "latency": 0.33}},
    ), {})  # fmt: skip


async def learn(store, number, model_id, tier, reward):
    await store.posteriors.learn(
        "acme", f"l{number}-{tier}", 0, task_cell="qa", model_id=model_id, tier=tier, success=reward,
        failure=1.0 - reward, selection=(reward, 0.7), org_calls=0, gamma=1.0,
    )  # fmt: skip


async def test_the_pool_its_dominated_models_and_its_best_swap_are_named(store):
    for number in range(40):
        for (model_id, tier), reward in zip(POOL, (0.9, 0.6), strict=True):
            await log(store, number, model_id, tier)
            await learn(store, number, model_id, tier, reward)
    advice = await advise_org(store, load_registry(SIMULATED_MODELS), "acme")
    assert advice.pool == {tier: model_id for model_id, tier in POOL}
    assert advice.tiers_never_used == ("mid",)
    (dear,) = advice.dominated
    assert (dear.model_id, dear.better_model_id) == ("sim/large-5", "sim/tiny-1")
    assert advice.swaps
    assert {one.out for one in advice.swaps} <= {model_id for model_id, _ in POOL}
    gains = [one.gain_points.mean for one in advice.swaps]
    assert gains == sorted(gains, reverse=True)
    assert advice.quality_paid == pytest.approx(0.07)


async def test_an_org_without_calls_gets_no_advice_it_could_not_rest_on(store):
    advice = await advise_org(store, load_registry(SIMULATED_MODELS), "nobody")
    assert (advice.calls, advice.pool, advice.swaps, advice.dominated) == (0, {}, (), ())
    assert advice.tiers_never_used == ("slm", "mid", "frontier")
