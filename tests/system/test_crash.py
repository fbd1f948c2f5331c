"""A gateway killed in the middle of its work."""

import asyncio
import contextlib
import sqlite3

import httpx
import pytest

from x25.simulator.tasks import generate


async def crash_under_load(gateway, simulator, calls: int) -> None:
    """Send `calls` calls at once and kill the gateway as soon as the simulator has billed a third as many requests."""
    tasks = generate(11, calls)
    async with httpx.AsyncClient(base_url=gateway.url, timeout=60) as client:

        async def call(number: int) -> None:
            with contextlib.suppress(httpx.TransportError):  # the gateway dies under it
                await client.post("/route", json={"prompt": tasks[number].prompt, "org": f"org-{number % 5}"})

        under_way = [asyncio.create_task(call(number)) for number in range(calls)]
        while len(await asyncio.to_thread(simulator.bills)) < calls // 3:
            await asyncio.sleep(0)
        await asyncio.to_thread(gateway.kill)
        await asyncio.gather(*under_way)


@pytest.mark.slow
async def test_kill_9_in_the_middle_of_50_calls_leaves_no_billed_dollar_unrecorded(
    slow_simulator, make_gateway, tmp_path
):
    gateway = make_gateway(slow_simulator)
    await gateway.start()
    await crash_under_load(gateway, slow_simulator, 50)

    # The second life settles what the first left behind: a call may take no longer than a moment here.
    revived = make_gateway(slow_simulator, call_deadline_s="0.2")
    async with revived, httpx.AsyncClient(base_url=revived.url, timeout=60) as client:
        assert (await client.get("/verify")).json()["intact"]
        reply = await client.post("/route", json={"prompt": "What is 6 * 7?", "org": "org-0"})
        assert reply.status_code in {200, 504}  # the deadline above is a fifth of a second
        while await unsettled(tmp_path):
            await asyncio.sleep(0)
        assert (await client.get("/verify")).json()["intact"]
        stats = (await client.get("/stats/all")).json()

    bills = {bill["attempt_id"]: round(bill["cost_usd"] * 1e9) for bill in slow_simulator.bills()}
    with sqlite3.connect(tmp_path / "state" / "x25.db") as database:
        recorded = dict(
            database.execute("SELECT attempt_id, COALESCE(cost_nusd, reserved_nusd) FROM attempts")
        )
        in_calls = database.execute("SELECT SUM(cost_nusd) + SUM(judge_cost_nusd) FROM calls").fetchone()[0]
        spent = database.execute("SELECT SUM(COALESCE(cost_nusd, reserved_nusd)) FROM attempts").fetchone()[0]
        finished = dict(
            database.execute("SELECT attempt_id, cost_nusd FROM attempts WHERE status = 'finished'")
        )
        statuses = {row[0] for row in database.execute("SELECT DISTINCT status FROM calls")}
    assert bills.keys() <= recorded.keys()
    assert all(recorded[attempt] >= cost for attempt, cost in bills.items())
    assert all(finished[attempt] == bills[attempt] for attempt in finished)
    assert "interrupted" in statuses
    assert in_calls == spent
    assert stats["total_cost_usd"] + stats["total_judge_cost_usd"] == pytest.approx(spent / 1e9)


async def unsettled(tmp_path) -> int:
    has_entry = "EXISTS (SELECT 1 FROM calls c WHERE c.org = a.org AND c.call_id = a.call_id)"
    query = f"SELECT COUNT(*) FROM attempts a WHERE NOT {has_entry}"
    with sqlite3.connect(tmp_path / "state" / "x25.db", timeout=30) as database:
        return database.execute(query).fetchone()[0]
