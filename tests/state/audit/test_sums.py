import asyncio
import random
import sqlite3
import sys
from collections import Counter

import pytest

from x25.state.audit.sums import read_sums
from x25.state.savings import paid, saved
from x25.state.store import open_store

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from random import Random
from x25.state.records import Call
from x25.state.store import open_store

async def write(url, name, count):
    rng = Random(name)
    async with await open_store(url) as store:
        for n in range(count):
            model = rng.choice(["v/a", "v/b", None])
            await store.calls.record(Call(
                call_id=f"{name}-{n}", org=rng.choice(["acme", "beta"]), created_at=datetime.now(UTC),
                status="answered" if model else "failed", task_type="qa", task_cell="qa", difficulty=0.0,
                model_id=model, provider="v", tier="mid" if model else None, cost_nusd=rng.randrange(10**9),
                judge_cost_nusd=rng.randrange(10**8), reference_cost_nusd=rng.randrange(10**10),
                pool_cost_nusd=rng.choice([None, rng.randrange(10**10)]), quality_score=rng.random(),
                quality_source=rng.choice(["judge", "estimate"]), latency_ms=rng.random() * 1e3, cascade_steps=1,
                escalations=0, fallbacks=0, propensity=1.0, router=rng.choice(["auto", "pair"]), simulated=True,
                record_hash="",
            ), {"n": n})

asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
FROM_LOG = """
SELECT COUNT(*), SUM(cost_nusd), SUM(judge_cost_nusd), SUM(reference_cost_nusd),
    SUM(COALESCE(pool_cost_nusd, reference_cost_nusd)),
    AVG(quality_score), AVG(latency_ms)
FROM calls WHERE org = ?
"""


@pytest.mark.slow
async def test_sums_of_two_processes_equal_the_log(tmp_path):
    path, count = tmp_path / "x25.db", 60
    url = f"sqlite+aiosqlite:///{path}"
    async with await open_store(url) as store:
        writers = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, url, name, str(count))
            for name in ("one", "two")
        ]
        assert [await writer.wait() for writer in writers] == [0, 0]
        found = {org: await store.calls.stats(org) for org in ("acme", "beta")}
        everybody = await store.calls.stats(None)
    for org, stats in found.items():
        with sqlite3.connect(path) as log:
            *money, quality, latency = log.execute(FROM_LOG, [org]).fetchone()
            models = Counter(
                model or "none" for (model,) in log.execute("SELECT model_id FROM calls WHERE org = ?", [org])
            )
        spent = (
            stats.total_calls,
            stats.cost_nusd,
            stats.judge_cost_nusd,
            stats.reference_cost_nusd,
            stats.pool_cost_nusd,
        )
        assert spent == tuple(money)
        assert stats.saved_nusd == saved(money[3], paid(money[1], money[2]))
        assert stats.model_distribution == models
        assert (stats.avg_quality, stats.avg_latency_ms) == (pytest.approx(quality), pytest.approx(latency))
    assert everybody.total_calls == 2 * count
    assert everybody.saved_nusd == sum(one.saved_nusd for one in found.values())


async def test_a_call_that_is_not_logged_is_not_counted(store, make_call):
    await store.calls.record(make_call(call_id="c1"), {})
    await store.calls.record(make_call(call_id="c1", cost_nusd=10**9), {})
    stats = await store.query(lambda connection: read_sums(connection, "acme"))
    assert (stats.total_calls, stats.cost_nusd) == (1, make_call().cost_nusd)


async def test_a_router_is_named_only_where_it_chose_among_some_of_the_models(store, make_call):
    await store.calls.record(make_call(call_id="c1", router="auto", reference_cost_nusd=900), {})
    pair = {"router": "pair", "cost_nusd": 100, "judge_cost_nusd": 20, "reference_cost_nusd": 900}
    await store.calls.record(make_call(call_id="c2", pool_cost_nusd=150, **pair), {})
    await store.calls.record(make_call(call_id="c3", pool_cost_nusd=90, **pair), {})
    pools = (await store.calls.stats("acme")).smaller_pools
    assert pools.keys() == {"pair"}
    assert (pools["pair"].total_calls, pools["pair"].saved_nusd, pools["pair"].pool_saved_nusd) == (
        2,
        1560,
        0,
    )


async def test_random_calls_add_up(store, make_call):
    rng, costs = random.Random(3), []
    for n in range(30):
        costs.append(rng.randrange(10**12))
        await store.calls.record(
            make_call(call_id=f"c{n}", cost_nusd=costs[-1], model_id=rng.choice("ab")), {}
        )
    assert (await store.calls.stats("acme")).cost_nusd == sum(costs)
