"""A race for the last of a budget: two gateways on one store, hundreds of clients, cut streams, and a process killed.

The simulator notes what it billed, to the nano-dollar, and under which attempt. The ledger must say the same of every
attempt whose end is known; of one whose process was killed the reservation counts, which the bill never passes.
"""

import asyncio
import logging
import os
import signal
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select

from x25.demo.gateway import gateway_process
from x25.simulator.process import SimulatorProcess
from x25.state.money.budgets import Budget
from x25.state.records import nusd_from_usd
from x25.state.schema import attempts
from x25.state.store import open_store

pytestmark = pytest.mark.slow

KILLED_AFTER = 60
"""Answers after which one of the gateways is killed."""

_log = logging.getLogger(__name__)

ORG, CLIENTS, BUDGET_USD, LEASE_S = "racers", 200, 0.02, "3"


async def one_client(number, urls, statuses):
    """Ask five times: plainly, streamed, streamed and cut off, or given up in the middle."""
    async with httpx.AsyncClient(timeout=120) as client:
        for turn in range(5):
            url = urls[(number + turn) % 2]
            body = {
                "model": "auto", "messages": [{"role": "user", "content": f"What is {number} + {turn}?"}],
                "max_tokens": 200, "x25": {"org": ORG},
            }  # fmt: skip
            try:
                match (number + turn) % 4:
                    case 0 | 1:
                        answer = await client.post(f"{url}/v1/chat/completions", json=body)
                        statuses[answer.status_code] += 1
                    case 2:
                        sent = client.stream(
                            "POST", f"{url}/v1/chat/completions", json={**body, "stream": True}
                        )
                        async with sent as answer:
                            statuses[answer.status_code] += 1
                            async for _ in answer.aiter_bytes():
                                break  # leave in the middle
                    case _:
                        asked = client.post(f"{url}/v1/chat/completions", json=body)
                        await asyncio.wait_for(asked, 0.15)
            except (TimeoutError, httpx.TransportError):
                statuses["left"] += 1


async def settled(store):
    """Return the attempts once none is open any more."""
    query = select(attempts).where(attempts.c.org == ORG)
    for _ in range(240):
        rows = await store.query(lambda connection: connection.execute(query).all())
        if rows and all(row.status != "started" for row in rows):
            return rows
        await asyncio.sleep(0.25)
    raise AssertionError("attempts stayed open")


async def test_nobody_spends_beyond_a_budget_and_the_books_say_what_was_billed(database_url, tmp_path):
    statuses = Counter()
    with SimulatorProcess(latency=True) as simulator:
        common = {"database_url": database_url, "lease_s": LEASE_S, "max_calls_in_flight": "2000"}
        start = [gateway_process(tmp_path / f"state-{n}", simulator.url, **common) for n in range(2)]
        async with await open_store(database_url) as store:
            with start[0] as one, start[1] as other:
                settings = {"budgets": {"usd_per_day": BUDGET_USD}}
                async with httpx.AsyncClient(base_url=one.url) as client:
                    (await client.put(f"/orgs/{ORG}/settings", json=settings)).raise_for_status()
                clients = [one_client(n, (one.url, other.url), statuses) for n in range(CLIENTS)]
                running = asyncio.gather(*clients)
                while statuses[200] < KILLED_AFTER:
                    await asyncio.sleep(0.02)
                os.kill(other._process.pid, signal.SIGKILL)
                await running
                rows = await settled(store)
            day = Budget.per_day(None, datetime.now(UTC))
            account = (await store.budgets.read(ORG, [day.account]))[day.account]
            chain = await store.audit.verify(ORG)
        bills = simulator.bills()

    spent_nusd = sum(row.cost_nusd for row in rows)
    billed_nusd = Counter()
    for bill in bills:
        billed_nusd[bill["attempt_id"]] += nusd_from_usd(bill["cost_usd"])
    by_id = {row.attempt_id: row for row in rows}
    sources = Counter(row.cost_source for row in rows)
    _log.info(
        "%s; %d attempts, %s; spent %d of %d nano-dollars, billed %d",
        dict(statuses), len(rows), dict(sources), spent_nusd, nusd_from_usd(BUDGET_USD), sum(billed_nusd.values()),
    )  # fmt: skip
    assert statuses[402] > 0, "the budget was never reached"
    assert spent_nusd <= nusd_from_usd(BUDGET_USD)
    assert sum(billed_nusd.values()) <= spent_nusd
    assert account.spent_nusd == spent_nusd, "the account is the sum of the attempts"
    assert billed_nusd.keys() <= by_id.keys(), "nothing is billed that was not written down before"
    for attempt_id, row in by_id.items():
        if row.cost_source in {"reported", "computed"}:
            assert row.cost_nusd == billed_nusd[attempt_id], row
        else:
            assert billed_nusd[attempt_id] <= row.cost_nusd <= row.reserved_nusd, row
    assert sources["computed"] + sources["reported"] > 50
    assert chain.intact
