import asyncio
from datetime import timedelta

import pytest

from x25.state.errors import AttemptTaken, OverBudget, StoreError
from x25.state.money.budgets import Budget, Charge
from x25.state.store import open_store


async def test_attempt_cannot_be_started_twice(store, make_attempt):
    await store.attempts.start(make_attempt())
    with pytest.raises(AttemptTaken, match="was begun before"):
        await store.attempts.start(make_attempt())


@pytest.mark.parametrize("changes", [{"attempt_id": "a2"}, {"org": "beta"}])
async def test_attempt_that_was_never_started_cannot_be_finished(store, make_attempt, changes):
    await store.attempts.start(make_attempt())
    with pytest.raises(StoreError, match="to have been started"):
        await store.attempts.finish(make_attempt(status="finished", cost_nusd=1, **changes))
    assert await store.attempts.spent_nusd("acme") == 7


async def test_finishing_leaves_what_was_settled_at_the_start(store, make_attempt):
    started = make_attempt()
    await store.attempts.start(started)
    await store.attempts.finish(
        make_attempt(model_id="w/other", reserved_nusd=0, status="failed", error="server")
    )
    (kept,) = await store.attempts.for_call("acme", "c1")
    assert (kept.model_id, kept.reserved_nusd, kept.status, kept.error) == ("v/m", 7, "failed", "server")


async def test_free_attempt_costs_nothing_once_settled(store, make_attempt):
    await store.attempts.start(make_attempt())
    await store.attempts.finish(make_attempt(status="failed", cost_nusd=0))
    assert await store.attempts.spent_nusd("acme") == 0


async def test_attempts_come_in_the_order_they_were_made(store, make_attempt):
    start = make_attempt().started_at
    for name, step, seconds in (("z", 0, 2), ("y", 1, 1), ("x", 0, 1)):
        started_at = start + timedelta(seconds=seconds)
        await store.attempts.start(make_attempt(attempt_id=name, step=step, started_at=started_at))
    assert [attempt.attempt_id for attempt in await store.attempts.for_call("acme", "c1")] == ["x", "z", "y"]


async def test_org_without_attempts_spent_nothing(store):
    assert await store.attempts.spent_nusd("nobody") == 0


async def test_outcome_that_nobody_waits_for_is_read_back(store, make_attempt):
    await store.attempts.start(make_attempt())
    await store.attempts.finish_later(make_attempt(status="finished", cost_nusd=3))
    assert await store.attempts.spent_nusd("acme") == 3
    assert (await store.attempts.for_call("acme", "c1"))[0].status == "finished"


async def test_outcome_that_nobody_waits_for_is_there_after_closing(url, make_attempt):
    async with await open_store(url) as store:
        await store.attempts.start(make_attempt())
        await store.attempts.finish_later(make_attempt(status="finished", cost_nusd=3))
    async with await open_store(url) as store:
        assert await store.attempts.spent_nusd("acme") == 3


async def test_second_attempt_sees_what_the_first_one_left_of_a_budget(store, make_attempt):
    charge = Charge((Budget.per_day(10, make_attempt().started_at),))
    await store.attempts.start(make_attempt(reserved_nusd=8), charge, opens_call=True)
    with pytest.raises(OverBudget):
        await store.attempts.start(make_attempt(attempt_id="a2", reserved_nusd=8), charge)
    await store.attempts.finish_later(make_attempt(reserved_nusd=8, status="failed", cost_nusd=2), charge)
    await store.attempts.start(make_attempt(attempt_id="a2", reserved_nusd=8), charge)
    with pytest.raises(OverBudget):
        await store.attempts.start(make_attempt(attempt_id="a3", reserved_nusd=1), charge)
    assert (await store.budgets.read("acme", [charge.budgets[0].account]))[
        charge.budgets[0].account
    ].spent_nusd == 10


async def test_refused_reservation_keeps_the_outcome_it_was_committed_with(store, make_attempt):
    charge = Charge((Budget.per_day(10, make_attempt().started_at),))
    await store.attempts.start(make_attempt(reserved_nusd=8), charge, opens_call=True)
    await store.attempts.finish_later(make_attempt(reserved_nusd=8, status="failed", cost_nusd=5), charge)
    with pytest.raises(OverBudget):
        await store.attempts.start(make_attempt(attempt_id="a2", reserved_nusd=8), charge)
    assert [one.status for one in await store.attempts.for_call("acme", "c1")] == ["failed"]


async def test_call_is_not_logged_where_an_outcome_of_it_cannot_be_written(
    store, make_attempt, make_call, caplog
):
    await store.attempts.start(make_attempt())
    await store.attempts.finish_later(make_attempt(attempt_id="never begun", status="finished", cost_nusd=3))
    with pytest.raises(StoreError, match="to have been started"):
        await store.calls.record(make_call(), {})
    assert await store.calls.get("acme", "c1") is None
    assert await store.audit.tail("acme", 9) == []
    assert "what came of attempt never begun cannot be written" in caplog.text
    await store.calls.record(make_call(), {})  # it was told once: whoever settles the call goes on


async def test_failure_that_was_told_before_the_call_is_recorded_is_not_forgotten(
    store, make_attempt, make_call
):
    await store.attempts.finish_later(make_attempt(status="finished", cost_nusd=3))
    await store.attempts.for_call("acme", "c1")
    await store.calls.record(make_call(org="beta"), {})
    with pytest.raises(StoreError, match="to have been started"):
        await store.calls.record(make_call(), {})


async def test_nothing_is_kept_of_outcomes_that_are_written(store, make_attempt):
    await store.attempts.start(make_attempt())
    await store.attempts.finish_later(make_attempt(status="finished", cost_nusd=3))
    await store.attempts.spent_nusd("acme")
    assert store.attempts.unsure("acme", "c1") == ()


async def test_cancelled_call_leaves_its_outcome_written(store, make_attempt):
    await store.attempts.start(make_attempt())

    async def call() -> None:
        await store.attempts.finish_later(make_attempt(status="finished", cost_nusd=3))
        await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    assert await store.attempts.spent_nusd("acme") == 3
