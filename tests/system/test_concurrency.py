"""Two hundred calls at once on one gateway and one SQLite file."""

import asyncio
import json
import sqlite3
from collections import Counter

import httpx
import pytest

from x25.simulator.tasks import generate

ORGS = [f"org-{number}" for number in range(5)]
UNUSED = ("cache_hits", "cache_saved_usd", "total_byok_usd")
"""Figures of what nobody asked for here."""


@pytest.mark.slow
async def test_200_concurrent_calls_of_5_orgs_lose_nothing(quick_simulator, make_gateway, tmp_path):
    tasks = generate(3, 200)
    async with make_gateway(quick_simulator) as gateway:
        limits = httpx.Limits(max_connections=250)
        async with httpx.AsyncClient(base_url=gateway.url, timeout=180, limits=limits) as client:

            async def call(number: int) -> httpx.Response:
                body = {"prompt": tasks[number].prompt, "org": ORGS[number % 5]}
                return await client.post("/route", json=body)

            replies = await asyncio.gather(*map(call, range(200)))
            assert Counter(reply.status_code for reply in replies) == {200: 200}
            verified = (await client.get("/verify")).json()
            stats = {org: (await client.get(f"/stats/{org}")).json() for org in ORGS}
            overall = (await client.get("/stats/all")).json()

    assert verified["intact"]
    assert {one["org"]: one["total_records"] for one in verified["orgs"]} == dict.fromkeys(ORGS, 40)
    bodies = [reply.json() for reply in replies]
    with sqlite3.connect(tmp_path / "state" / "x25.db") as database:
        assert_evidence_is_complete(database, bodies)
        for org in ORGS:
            estimated = stats[org].pop("cost_estimates")
            assert all(one["answers"] > 0 for one in estimated.values())
            assert stats[org].pop("total_disputed_usd") == 0
            assert stats[org].pop("smaller_pools") == {}
            assert stats[org].pop("total_saved_vs_pool_usd") == stats[org]["total_saved_usd"]
            assert stats[org].pop("reference_model") == "sim/large-5"
            quality = stats[org].pop("quality")
            assert (quality["measured_by"], quality["labels"], quality["answers"]) == ("scores", 0, 40)
            assert stats[org].pop("quality_bound") == {}
            assert [stats[org].pop(name) for name in UNUSED] == [0, 0, 0]
            assert stats[org].pop("comparison")["counted_calls"] == 40
            assert stats[org] == recomputed(database, org)
        assert overall.pop("cost_estimates")
        assert overall.pop("total_disputed_usd") == 0
        assert overall.pop("comparison")["counted_calls"] == 200
        told = (
            "smaller_pools",
            "total_saved_vs_pool_usd",
            "reference_model",
            "quality",
            "quality_bound",
            *UNUSED,
        )
        assert {name: value for name, value in overall.items() if name not in told} == recomputed(
            database, None
        )
        billed = {bill["attempt_id"]: round(bill["cost_usd"] * 1e9) for bill in quick_simulator.bills()}
        assert dict(database.execute("SELECT attempt_id, cost_nusd FROM attempts")) == billed


def assert_evidence_is_complete(database, bodies) -> None:
    """Every judged answer that a reply tells of is in the evidence log and in the posterior's sums, once."""
    learned = Counter(
        (body["org"], body["task_type"] if cell["task_cell"] != "general" else "general", cell["model_id"])
        for body in bodies
        for cell in body["explain"]["learned"]
    )
    logged = Counter(
        (org, cell, model)
        for org, cell, model in database.execute("SELECT org, task_cell, model_id FROM evidence_log")
    )
    assert logged == learned
    sums = database.execute(
        "SELECT org, task_cell, model_id, successes + failures FROM posteriors"
    ).fetchall()
    pooled = Counter()
    for (org, _, model), count in learned.items():
        pooled[org, "*", model] += count
    assert {(org, cell, model): round(total) for org, cell, model, total in sums} == dict(learned + pooled)


def recomputed(database, org: str | None) -> dict:
    where, arguments = ("WHERE org = ?", (org,)) if org else ("", ())
    costs = "cost_nusd, judge_cost_nusd, reference_cost_nusd"
    columns = f"{costs}, quality_score, quality_source, latency_ms, model_id, tier"
    rows = database.execute(f"SELECT {columns} FROM calls {where}", arguments).fetchall()
    rated = [row[3] for row in rows if row[3] is not None]
    return {
        "total_calls": len(rows),
        "total_cost_usd": sum(row[0] for row in rows) / 1e9,
        "total_judge_cost_usd": sum(row[1] for row in rows) / 1e9,
        "total_saved_usd": sum(row[2] - row[0] - row[1] for row in rows) / 1e9,
        "avg_quality": pytest.approx(sum(rated) / len(rated)),
        "avg_latency_ms": pytest.approx(sum(row[5] for row in rows) / len(rows)),
        "model_distribution": dict(Counter(row[6] for row in rows)),
        "tier_distribution": {"slm": 0, "mid": 0, "frontier": 0, **Counter(row[7] for row in rows)},
    }


@pytest.mark.slow
async def test_two_gateways_share_one_file_without_a_lock_error_or_a_fork(quick_simulator, make_gateway):
    tasks = generate(5, 60)
    async with (
        make_gateway(quick_simulator) as one,
        make_gateway(quick_simulator) as other,
        httpx.AsyncClient(timeout=180) as client,
    ):

        async def call(number: int) -> int | str:
            url = (one.url, other.url)[number % 2]
            reply = await client.post(f"{url}/route", json={"prompt": tasks[number].prompt, "org": "shared"})
            return 200 if reply.status_code == 200 else json.dumps(reply.json())

        assert Counter(await asyncio.gather(*map(call, range(60)))) == {200: 60}
        verified = (await client.get(f"{one.url}/verify")).json()
        assert (verified["intact"], verified["total_records"]) == (True, 60)
        assert (await client.get(f"{other.url}/stats/shared")).json()["total_calls"] == 60
