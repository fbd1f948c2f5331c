"""What sums and quick checks promise on every database: that they say what a walk of the log would."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from x25.state.records import Call
from x25.state.savings import OrgStats, Spending
from x25.state.schema import audit
from x25.state.store import Store, open_store


def make_call(call_id: str, org: str = "acme", **changes: Any) -> Call:
    usual = {
        "created_at": datetime(2025, 1, 1, tzinfo=UTC), "status": "answered", "task_type": "code",
        "task_cell": "code", "difficulty": 0.3, "model_id": "v/small", "provider": "v", "tier": "slm",
        "cost_nusd": 1_000, "judge_cost_nusd": 10, "reference_cost_nusd": 5_000, "quality_score": 0.9,
        "quality_source": "judge", "latency_ms": 12.5, "cascade_steps": 1, "escalations": 0, "fallbacks": 0,
        "propensity": 0.5, "router": "auto", "simulated": False, "record_hash": "",
    }  # fmt: skip
    return Call(call_id=call_id, org=org, **(usual | changes))


def stats_of(calls: list[Call]) -> OrgStats:
    rated = [call.quality_score for call in calls if call.quality_score is not None]
    models = [c.model_id or "none" for c in calls]
    tiers = [c.tier or "none" for c in calls]
    latencies = [c.latency_ms for c in calls if c.status != "interrupted"]
    return OrgStats(
        total_calls=len(calls),
        cost_nusd=sum(c.cost_nusd for c in calls),
        judge_cost_nusd=sum(c.judge_cost_nusd for c in calls),
        reference_cost_nusd=sum(c.reference_cost_nusd for c in calls),
        pool_cost_nusd=sum(elsewhere_nusd(c) for c in calls),
        avg_quality=pytest.approx(sum(rated) / len(rated)) if rated else None,
        avg_latency_ms=pytest.approx(sum(latencies) / len(latencies)) if latencies else None,
        model_distribution={model: models.count(model) for model in models},
        tier_distribution={tier: tiers.count(tier) for tier in tiers},
        smaller_pools={
            router: spending_of([c for c in calls if c.router == router])
            for router in {c.router for c in calls if c.pool_cost_nusd is not None}
        },
    )


def elsewhere_nusd(call: Call) -> int:
    return call.reference_cost_nusd if call.pool_cost_nusd is None else call.pool_cost_nusd


def spending_of(calls: list[Call]) -> Spending:
    return Spending(
        total_calls=len(calls),
        cost_nusd=sum(c.cost_nusd for c in calls),
        judge_cost_nusd=sum(c.judge_cost_nusd for c in calls),
        reference_cost_nusd=sum(c.reference_cost_nusd for c in calls),
        pool_cost_nusd=sum(elsewhere_nusd(c) for c in calls),
    )


async def test_stats_equal_a_recomputation_from_the_log(store: Store):
    rng = random.Random(7)
    calls = []
    for n in range(40):
        model, tier = rng.choice(
            [("v/small", "slm"), ("v/big", "frontier"), ("w/small", "slm"), (None, None)]
        )
        calls.append(make_call(
            f"c{n}", org=rng.choice(["acme", "beta"]), model_id=model, tier=tier,
            cost_nusd=rng.randrange(10**13),
            judge_cost_nusd=rng.randrange(10**6), reference_cost_nusd=rng.randrange(10**13),
            quality_score=rng.choice([None, rng.random()]), latency_ms=rng.random() * 1e4,
            quality_source=rng.choice(["judge", "checks", "estimate", "none"]),
            status=rng.choice(["answered", "failed", "interrupted"]), router=rng.choice(["auto", "pair"]),
            pool_cost_nusd=rng.choice([None, rng.randrange(10**13)]),
        ))  # fmt: skip
        await store.calls.record(calls[-1], {"n": n})
    for org in ("acme", "beta"):
        assert await store.calls.stats(org) == stats_of([c for c in calls if c.org == org])
    assert await store.calls.stats(None) == stats_of(calls)
    assert await store.calls.stats("nobody") == stats_of([])
    await store.calls.record(calls[0], {"n": 0})  # told twice, counted once
    assert await store.calls.stats(None) == stats_of(calls)


async def test_calls_logged_at_once_by_two_stores_are_all_in_the_sums(database_url: str):
    calls = [
        make_call(f"c{n}", cost_nusd=n, judge_cost_nusd=2 * n, reference_cost_nusd=n**3) for n in range(60)
    ]
    async with await open_store(database_url) as one, await open_store(database_url) as other:
        await asyncio.gather(
            *((one, other)[n % 2].calls.record(call, {"n": n}) for n, call in enumerate(calls))
        )
        assert await one.calls.stats("acme") == await other.calls.stats("acme") == stats_of(calls)


async def test_a_chain_is_checked_from_where_it_was_found_whole(store: Store):
    for n in range(5):
        await store.audit.append("acme", {"n": n})
    first = await store.audit.verify_new("acme")
    assert (first.intact, first.total_records, first.checked_from) == (True, 5, 0)
    await store.calls.record(make_call("c1"), {"n": 5})
    second = await store.audit.verify_new("acme")
    assert (second.intact, second.total_records, second.checked_from, second.calls) == (True, 6, 4, 1)
    assert second.fully_verified_at == first.fully_verified_at is not None
    edit = audit.update().where(audit.c.idx == 1).values(record="{}")
    await store.transact(lambda connection: connection.execute(edit).close())
    assert (await store.audit.verify_new("acme")).intact
    whole = await store.audit.verify("acme")
    assert (whole.intact, whole.first_broken_index, whole.fully_verified_at) == (False, 1, None)
    assert (await store.audit.verify_new("acme")).first_broken_index == 1
