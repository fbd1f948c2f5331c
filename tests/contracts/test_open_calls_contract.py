"""Which calls are left behind, on every database: leases run out by the database's own time."""

import asyncio
from datetime import UTC, datetime

from x25.state.records import Attempt
from x25.state.store import Store, open_store

START = datetime.now(UTC)


def make_attempt(attempt_id: str, call_id: str) -> Attempt:
    return Attempt(
        attempt_id=attempt_id, org="acme", call_id=call_id, step=0, kind="answer", model_id="v/small",
        tier="slm", deployment="main", status="started", reserved_nusd=500, started_at=START,
    )  # fmt: skip


async def test_a_call_is_due_once_the_lease_of_its_holder_has_run_out(store: Store, database_url: str):
    async with await open_store(database_url) as other:
        await other.lease.renew(0.5)
        await other.attempts.start(make_attempt("a1", "theirs"))
        assert await store.open_calls.due(own_after_s=0) == []
        assert [is_alive for _, is_alive in await store.open_calls.list()] == [True]
        ((call, _),) = await store.open_calls.list()
        assert await store.open_calls.take_over(call) is None
        while not (due := await store.open_calls.due(own_after_s=0)):
            await asyncio.sleep(0.02)
        assert due == [call]
        taken = await store.open_calls.take_over(call)
        assert taken is not None
        assert (taken.holder, taken.tries) == (store.lease.holder, 1)
        assert await store.open_calls.take_over(call) is None


async def test_what_settling_a_call_met_is_kept_until_it_is_set_aside(store: Store):
    await store.attempts.start(make_attempt("a1", "poison"))
    (call,) = await store.open_calls.due(own_after_s=0)
    await store.open_calls.note_failure(call, "KeyError", set_aside=False)
    assert [one.reason for one in await store.open_calls.due(own_after_s=0)] == ["KeyError"]
    await store.open_calls.note_failure(call, "it is poison", set_aside=True)
    assert await store.open_calls.due(own_after_s=0) == []
    assert await store.open_calls.count_set_aside() == 1
    ((kept, _),) = await store.open_calls.list()
    assert kept.reason == "it is poison"
    assert kept.set_aside_at is not None
