from datetime import timedelta

import pytest

from x25.state.errors import AttemptTaken, StoreError


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
