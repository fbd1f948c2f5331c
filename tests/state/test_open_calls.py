from datetime import UTC, datetime, timedelta

import pytest

from x25.state.open_calls import LONGEST_CALL
from x25.state.schema import open_calls
from x25.state.store import open_store

NOW = datetime.now(UTC)


def name(calls):
    return [call.call_id for call in calls]


async def test_an_attempt_opens_its_call_and_the_log_row_closes_it(store, make_attempt, make_call):
    await store.attempts.start(make_attempt(started_at=NOW))
    await store.attempts.start(make_attempt(attempt_id="a2", step=1, started_at=NOW + timedelta(seconds=9)))
    ((call, _),) = await store.open_calls.list()
    assert (call.org, call.call_id, call.holder) == ("acme", "c1", store.lease.holder)
    assert call.asked_at == NOW + timedelta(seconds=9)
    await store.calls.record(make_call(), {})
    assert await store.open_calls.list() == []


async def test_own_calls_are_due_once_they_are_older_than_a_call_may_get_or_were_tried(store, make_attempt):
    await store.lease.renew(30.0)
    await store.attempts.start(make_attempt(started_at=NOW - timedelta(seconds=100)))
    assert name(await store.open_calls.due(own_after_s=100_000)) == []
    assert name(await store.open_calls.due(own_after_s=50)) == ["c1"]
    (call,) = await store.open_calls.due(own_after_s=50)
    await store.open_calls.take_over(call)
    assert name(await store.open_calls.due(own_after_s=100_000)) == ["c1"]


@pytest.mark.parametrize("own_after_s", [0.001, 7_200.0])
async def test_whether_anothers_call_is_due_does_not_depend_on_the_own_deadline(
    store, url, make_attempt, own_after_s
):
    async with await open_store(url) as alive, await open_store(url) as dead:
        await alive.lease.renew(30.0)
        await alive.attempts.start(make_attempt(call_id="live", started_at=NOW - timedelta(hours=1)))
        await dead.attempts.start(make_attempt(call_id="dead", attempt_id="a2"))
        assert name(await store.open_calls.due(own_after_s)) == ["dead"]


async def test_a_call_of_nobody_knows_whom_is_due_after_the_longest_call_there_is(store, make_attempt):
    for call_id, age in (("old", LONGEST_CALL + timedelta(seconds=1)), ("young", LONGEST_CALL / 2)):
        await store.attempts.start(
            make_attempt(call_id=call_id, attempt_id=call_id, started_at=datetime.now(UTC) - age)
        )
    await store.transact(
        lambda connection: connection.execute(open_calls.update().values(holder=None)).rowcount
    )
    (call,) = await store.open_calls.due(own_after_s=0.0)
    assert call.call_id == "old"
    assert (await store.open_calls.take_over(call)).holder == store.lease.holder


async def test_a_call_left_by_a_process_that_lives_on_is_due_after_the_longest_call_there_is(
    store, url, make_attempt
):
    async with await open_store(url) as other:
        await other.lease.renew(30.0)
        for call_id, age in (("left", LONGEST_CALL + timedelta(seconds=1)), ("live", LONGEST_CALL * 0.9)):
            await other.attempts.start(
                make_attempt(call_id=call_id, attempt_id=call_id, started_at=datetime.now(UTC) - age)
            )
        (call,) = await store.open_calls.due(own_after_s=0.0)
        assert call.call_id == "left"
        assert await store.open_calls.take_over(call)


async def test_a_call_can_be_forgotten(store, make_attempt):
    await store.attempts.start(make_attempt())
    await store.open_calls.forget("acme", "c1")
    assert await store.open_calls.list() == []


async def test_a_call_that_was_set_aside_is_due_again_when_somebody_says_so(store, make_attempt):
    await store.attempts.start(make_attempt())
    assert not await store.open_calls.retry("acme", "c1")
    (call,) = await store.open_calls.due(own_after_s=0.0)
    await store.open_calls.note_failure(call, "KeyError", set_aside=True)
    assert await store.open_calls.due(own_after_s=0.0) == []
    assert await store.open_calls.retry("acme", "c1")
    assert name(await store.open_calls.due(own_after_s=0.0)) == ["c1"]
