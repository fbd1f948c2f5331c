import asyncio
from datetime import UTC, datetime

import pytest

from x25.state import leases
from x25.state.leases import BEATS, new_holder
from x25.state.store import open_store


@pytest.fixture
def clock(monkeypatch):
    """A monotonic clock that stands still until it is moved."""

    class Clock:
        now_s = 100.0

    monkeypatch.setattr(leases, "monotonic", lambda: Clock.now_s)
    return Clock


def test_no_two_stores_are_the_same_holder():
    assert len({new_holder() for _ in range(1_000)}) == 1_000


async def test_nobody_judges_others_without_a_lease_of_its_own(store):
    assert not store.lease.may_judge
    await store.lease.renew(30.0)
    assert store.lease.may_judge
    await store.lease.release()
    assert not store.lease.may_judge


async def test_whoever_was_held_up_gives_the_others_time_to_renew_before_it_judges(store, clock):
    await store.lease.renew(30.0)
    clock.now_s += 30.0 / BEATS  # in time
    await store.lease.renew(30.0)
    assert store.lease.may_judge
    clock.now_s += 20.0  # the database was locked, or the process stood still
    await store.lease.renew(30.0)
    assert not store.lease.may_judge
    clock.now_s += 30.0 / BEATS
    await store.lease.renew(30.0)
    assert not store.lease.may_judge
    clock.now_s += 30.0 / BEATS
    await store.lease.renew(30.0)
    assert store.lease.may_judge


async def test_after_a_machine_has_slept_nobody_is_judged_until_all_had_time_to_renew(
    store, clock, monkeypatch
):
    wall_s = 1_000.0
    monkeypatch.setattr(leases, "time", lambda: wall_s)
    await store.lease.renew(30.0)
    assert store.lease.may_judge
    wall_s += 3_600.0  # the monotonic clock stands still meanwhile
    assert not store.lease.may_judge
    await store.lease.renew(30.0)
    assert not store.lease.may_judge
    clock.now_s += 10.0
    assert store.lease.may_judge


async def test_renewing_sweeps_up_what_has_run_out(store, url, make_attempt):
    async with await open_store(url) as other:
        await other.lease.renew(0.01)
        await other.attempts.start(make_attempt(started_at=datetime.now(UTC)))
        await asyncio.sleep(0.02)
        await store.lease.renew(30.0)
        rows = await store.query(
            lambda connection: connection.exec_driver_sql("SELECT holder FROM leases").all()
        )
        assert rows == [(store.lease.holder,)]
        await other.lease.renew(30.0)  # it was only slow
        assert await store.open_calls.due(own_after_s=0.0) == []
