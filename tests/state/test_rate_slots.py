"""What both counters promise is in tests/contracts/test_rates_contract.py; this is the table's own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from x25.state.errors import TooManyRequests
from x25.state.rate_slots import RateSlots
from x25.state.rates import Limited, Rates, Slot, slot_name
from x25.state.schema import rate_slots
from x25.state.store import open_store


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def test_rows_go_once_they_count_no_more(store):
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    counts = RateSlots(store._database, lambda: now[0])
    one = Limited("acme", "org", Rates(100))
    for number in range(30):
        slot = Slot(f"s{number}", (one,), 0)
        await counts.take(slot, 500)
        if number % 3:
            await counts.end(slot, 0)
    now[0] += timedelta(seconds=61)
    await counts.take(Slot("last", (one,), 0), 500)
    rows = await store.query(
        lambda connection: connection.scalar(select(func.count()).select_from(rate_slots))
    )
    assert rows == 10 + 1  # those under way, and the newest


async def test_the_calls_of_a_process_that_died_are_under_way_no_more_once_its_lease_has_run_out(tmp_path):
    url, one = f"sqlite+aiosqlite:///{tmp_path}/x25.db", Limited("acme", "org", Rates(9, concurrent_calls=1))
    async with await open_store(url) as alive, await open_store(url) as dead:
        await dead.lease.renew(0.05)
        await dead.rates.take(Slot(slot_name(dead.lease.holder, "s"), (one,), 0), 500)
        other = Limited("beta", "org", Rates(9, concurrent_calls=1))
        await alive.lease.renew(30.0)
        await alive.rates.take(Slot(slot_name(alive.lease.holder, "t"), (other,), 0), 500)
        with pytest.raises(TooManyRequests):
            await alive.rates.take(Slot("u", (one,), 0), 500)
        await asyncio.sleep(0.1)
        await alive.lease.renew(30.0)
        (standing,) = await alive.rates.take(Slot("v", (one,), 0), 500)
        assert (standing.requests, standing.under_way) == (2, 1)
        with pytest.raises(TooManyRequests):
            await alive.rates.take(Slot("w", (other,), 0), 500)
