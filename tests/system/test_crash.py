"""A gateway killed in the middle of its work."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from random import Random

import httpx
import pytest

from x25.simulator.tasks import generate
from x25.state.store import open_store

OF_LOGGED_CALLS = "SELECT DISTINCT a.status, a.cost_nusd FROM attempts a JOIN calls USING (org, call_id)"


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


# Imports once, then forks a process for each life it reads; that one says its number, and when it has ended is told.
SERVE_FOR_EVER = """
import asyncio, itertools, os, sys
from x25.bench.store import serve
from x25.state.store import open_store

async def work(store, life, names):
    for number in names:
        call_id = f"{life}-{number}"
        await serve(store, f"org-{number % 3}", call_id)
        os.write(1, f"org-{number % 3} {call_id}\\n".encode())

async def main(life):
    async with await open_store(sys.argv[1]) as store:
        names = itertools.count()
        await asyncio.gather(*(work(store, life, names) for _ in range(16)))

for line in sys.stdin:
    if os.fork() == 0:
        os.write(1, f"{os.getpid()}\\n".encode())
        asyncio.run(main(line.strip()))
    os.wait()
    os.write(1, b"ended\\n")
"""


@pytest.mark.slow
async def test_kill_9_while_calls_share_transactions_loses_no_answered_call(tmp_path):
    url, answered, rng = f"sqlite+aiosqlite:///{tmp_path}/x25.db", [], Random(25)
    pipe = asyncio.subprocess.PIPE
    forking = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE_FOR_EVER, url, stdin=pipe, stdout=pipe
    )
    for life in range(30):
        forking.stdin.write(f"life{life}\n".encode())
        pid = int(await forking.stdout.readline())
        told = [await forking.stdout.readline() for _ in range(rng.randrange(1, 400))]
        os.kill(pid, signal.SIGKILL)
        while (line := await forking.stdout.readline()) != b"ended\n":
            told.append(line)
        answered += [tuple(line.decode().split()) for line in told]
    forking.stdin.close()
    assert await forking.wait() == 0
    async with await open_store(url) as store:
        assert all(found.intact for found in await store.audit.verify_all())
    with sqlite3.connect(tmp_path / "x25.db") as database:
        logged = set(database.execute("SELECT org, call_id FROM calls"))
        assert len(answered) > 500
        assert set(answered) <= logged
        assert set(database.execute(OF_LOGGED_CALLS)) == {("finished", 15_000)}
        assert database.execute("SELECT COUNT(*) FROM audit").fetchone() == (len(logged),)
        assert database.execute("SELECT SUM(cost_nusd), SUM(total_calls) FROM call_sums").fetchone() == (
            15_000 * len(logged),
            len(logged),
        )
        spent = "SELECT SUM(COALESCE(cost_nusd, reserved_nusd)), COUNT(DISTINCT org || call_id) FROM attempts"
        assert (
            database.execute("SELECT SUM(spent_nusd), SUM(calls) FROM budgets").fetchone()
            == database.execute(spent).fetchone()
        )
        begun = "SELECT org, call_id FROM attempts EXCEPT SELECT org, call_id FROM calls"
        assert set(database.execute(begun)) == set(database.execute("SELECT org, call_id FROM open_calls"))
