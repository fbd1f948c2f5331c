"""What every database promises of attempts whose outcome nobody waits for, and of evidence kept in memory."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.state.errors import OverBudget, StoreError
from x25.state.learning.posteriors import FRESH_S
from x25.state.money.budgets import Budget, Charge
from x25.state.records import Attempt, Call
from x25.state.store import Store, open_store

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
DAY = Budget.per_day(None, NOON)


def attempt(number: int, step: int = 0, **changes) -> Attempt:
    return replace(
        Attempt(
            attempt_id=f"a{number}-{step}", org="acme", call_id=f"c{number}", step=step, kind="answer", model_id="v/m",
            tier="slm", deployment="d", status="started", reserved_nusd=100, started_at=NOON,
        ),
        **changes,
    )  # fmt: skip


def call(number: int, **changes) -> Call:
    return replace(
        Call(
            call_id=f"c{number}", org="acme", created_at=NOON, status="answered", task_type="qa", task_cell="qa",
            difficulty=0.5, model_id="v/m", provider="v", tier="slm", cost_nusd=7, judge_cost_nusd=0,
            reference_cost_nusd=900, quality_score=0.5, quality_source="estimate", latency_ms=2.0, cascade_steps=1,
            escalations=0, fallbacks=0, propensity=1.0, router="auto", simulated=True, record_hash="",
        ),
        **changes,
    )  # fmt: skip


async def serve(store: Store, number: int, charge: Charge) -> None:
    for step in (0, 1):
        begun = attempt(number, step)
        await store.attempts.start(begun, charge, opens_call=step == 0)
        await store.attempts.finish_later(replace(begun, status="finished", cost_nusd=7), charge)
    await store.calls.record(call(number), {"n": number})


async def test_a_logged_call_has_its_attempts_settled(store: Store, database_url: str):
    await serve(store, 1, Charge((DAY,)))
    async with await open_store(database_url) as other:  # sees what is committed
        made = await other.attempts.for_call("acme", "c1")
        assert [(one.status, one.cost_nusd) for one in made] == [("finished", 7)] * 2
        assert (await other.calls.get("acme", "c1")) is not None


async def test_budgets_are_exact_over_calls_at_once(store: Store):
    ceiling = Charge((Budget.per_day(1_000, NOON),))

    async def ask(number: int) -> bool:
        try:
            await serve(store, number, ceiling)
        except OverBudget:
            return False
        return True

    served = await asyncio.gather(*map(ask, range(60)))
    account = (await store.budgets.read("acme", [DAY.account]))[DAY.account]
    assert account.spent_nusd == await store.attempts.spent_nusd("acme") <= 1_000
    assert await store.orgs.call_count("acme") == sum(served)
    assert (await store.audit.verify("acme")).intact


async def test_one_call_of_ten_that_cannot_be_logged_hinders_no_other(store: Store):
    async def ask(number: int) -> None:
        if number == 5:
            await store.attempts.finish_later(attempt(number, status="finished", cost_nusd=1))
            await store.calls.record(call(number), {})
        else:
            await serve(store, number, Charge((DAY,)))

    outcomes = await asyncio.gather(*map(ask, range(10)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [type(None)] * 5 + [StoreError] + [type(None)] * 4
    assert sorted(one.call_id for one in await store.calls.list("acme", 99)) == [
        f"c{n}" for n in range(10) if n != 5
    ]
    verification = await store.audit.verify("acme")
    assert (verification.intact, verification.total_records) == (True, 9)


async def learn(store: Store, call_id: str) -> None:
    await store.posteriors.learn(
        "acme", call_id, 0, task_cell="qa", model_id="v/m", tier="slm", success=1.0, failure=0.0, selection=(1.0, 0.5),
        org_calls=0, gamma=1.0,
    )  # fmt: skip


async def pooled(store: Store):
    return (await store.posteriors.read_levels("acme", "qa"))[1].get("v/m")


async def test_evidence_kept_in_memory_is_that_of_the_database(store: Store, database_url: str, monkeypatch):
    now_s = 0.0
    monkeypatch.setattr(store.posteriors, "_clock_s", lambda: now_s)
    assert await pooled(store) is None
    await learn(store, "c1")
    assert (await pooled(store)).successes == 1.0

    await store.attempts.start(attempt(1))
    await store.attempts.finish(attempt(1, status="finished", cost_nusd=7))
    await store.calls.record(call(1), {})
    await store.labels.add("acme", "c1", right=0.25, source="feedback", edges=(0.5,))
    assert (await pooled(store)).successes == 1.0, "labels are counted apart"

    async with await open_store(database_url) as other:
        await learn(other, "c2")
        assert (await pooled(store)).successes == 1.0
        now_s = FRESH_S
        assert (await pooled(store)).successes == 2.0

    def begin_anew(connection) -> bool:
        return store.posteriors.begin_anew(connection, "acme", seen, keep=1.0, record={"kind": "drift"})

    seen = replace(await pooled(store), drift_calls=0)
    with pytest.raises(KeyError):
        await store.transact(lambda connection: [begin_anew(connection), {}["undone"]])
    assert (await pooled(store)).successes == 2.0
