"""What every database must do with what was logged: keep it in one line, page it, and erase it for good."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from x25.state.audit.decisions import LoggedDecision
from x25.state.records import Call
from x25.state.schema import audit, prompts
from x25.state.store import Store, open_store

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
PROCESSES, APPENDS = 8, 500
WRITERS = """
import asyncio, os, sys
from x25.state.store import open_store

async def write(url, name, count):
    async with await open_store(url) as store:
        for n in range(count):
            await store.audit.append("acme", {"kind": "call", "call_id": f"{name}-{n}"})

processes = int(sys.argv[2])
for number in range(processes):  # which import nothing once more
    if os.fork() == 0:
        asyncio.run(write(sys.argv[1], f"p{number}", int(sys.argv[3])))
        os._exit(0)
sys.exit(any(os.wait()[1] for _ in range(processes)))
"""


def call(call_id: str, **changes: object) -> Call:
    made = Call(
        call_id=call_id, org="acme", created_at=NOON, status="answered", task_type="qa", task_cell="qa", difficulty=0.5,
        model_id="v/m", provider="v", tier="mid", cost_nusd=100, judge_cost_nusd=10, reference_cost_nusd=900,
        quality_score=0.5, quality_source="judge", latency_ms=2.0, cascade_steps=1, escalations=0, fallbacks=0,
        propensity=1.0, router="auto", simulated=True, record_hash="",
    )  # fmt: skip
    return replace(made, **changes)


def decision(call_id: str, **changes: object) -> LoggedDecision:
    made = LoggedDecision(call_id, "acme", NOON, "auto", "qa", "qa", 0.5, 1, 2.0, 1.0, {"selected": ["v/m"]})
    return replace(made, **changes)


async def texts(store: Store) -> list[str]:
    query = select(prompts.c.text).order_by(prompts.c.org, prompts.c.text)
    return list(await store.query(lambda connection: connection.scalars(query).all()))


@pytest.mark.slow
async def test_eight_processes_append_to_one_chain_without_a_fork_or_a_gap(database_url: str) -> None:
    async with await open_store(database_url) as store:
        writers = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITERS, database_url, str(PROCESSES), str(APPENDS)
        )
        assert await writers.wait() == 0
        found = await store.audit.verify("acme")
        assert (found.intact, found.total_records) == (True, PROCESSES * APPENDS)
        query = select(audit.c.idx, audit.c.prev_hash, audit.c.record_hash).order_by(audit.c.idx)
        rows = await store.query(lambda connection: connection.execute(query).all())
        entries = await store.audit.tail("acme", PROCESSES * APPENDS)
    assert [row.idx for row in rows] == list(range(PROCESSES * APPENDS))
    assert all(after.prev_hash == before.record_hash for before, after in pairwise(rows))
    assert {entry.record["call_id"] for entry in entries} == {
        f"p{process}-{n}" for process in range(PROCESSES) for n in range(APPENDS)
    }


async def test_calls_and_decisions_are_one_line_and_their_prompts_one_text(store: Store) -> None:
    for n in range(3):
        await store.calls.record(call(f"c{n}", prompt="same", user_id="ada"), {"n": n, "prompt_sha256": "x"})
        await store.decisions.record(decision(f"d{n}", prompt="same"), {"n": n})
    page = await store.history.recent("acme", limit=4)
    assert [one.row.call_id for one in page.rows] == ["d2", "c2", "d1", "c1"]
    assert {one.row.prompt for one in page.rows} == {"same"}
    rest = await store.history.recent("acme", limit=4, before=page.next)
    assert ([one.row.call_id for one in rest.rows], rest.next) == (["d0", "c0"], None)
    assert await store.history.count("acme", user_id="ada") == 3
    assert await texts(store) == ["same"]


async def test_a_text_goes_with_the_last_row_and_the_chain_still_verifies(store: Store) -> None:
    await store.calls.record(call("c1", prompt="same"), {"n": 1})
    await store.decisions.record(decision("d1", prompt="same"), {"n": 2})
    await store.calls.record(call("c1", org="umbrella", prompt="same"), {"n": 3})
    assert await store.erasure.delete("acme", "c1")
    assert await texts(store) == ["same", "same"]
    assert await store.erasure.delete("acme", "d1")
    assert await texts(store) == ["same"]  # the other org's
    found = await store.audit.verify_all()
    assert [(one.org, one.intact, one.erased) for one in found] == [("acme", True, 2), ("umbrella", True, 0)]
    assert await store.erasure.forget(None, NOON + timedelta(days=1)) == 1
    assert await texts(store) == []


async def test_the_same_row_is_deleted_once_by_many_at_once(store: Store) -> None:
    await store.calls.record(call("c1", prompt="same"), {"n": 1})
    done = await asyncio.gather(*(store.erasure.delete("acme", "c1") for _ in range(8)))
    assert sum(done) == 1
    assert (await store.audit.verify("acme")).total_records == 2


async def test_no_row_loses_a_prompt_that_another_row_of_it_is_deleted_beside(store: Store) -> None:
    await store.calls.record(call("c0", prompt="same"), {"n": 0})
    for n in range(1, 15):
        await asyncio.gather(
            store.erasure.delete("acme", f"c{n - 1}"),
            store.calls.record(call(f"c{n}", prompt="same"), {"n": n}),
            store.calls.record(call(f"o{n}", org="umbrella", prompt="same"), {"n": n}),
            store.erasure.forget("nobody", NOON + timedelta(days=1)),
        )
        assert (await store.calls.get("acme", f"c{n}")).prompt == "same"
    assert await texts(store) == ["same", "same"]
