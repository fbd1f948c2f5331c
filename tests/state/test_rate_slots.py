"""What both counters promise is in tests/contracts/test_rates_contract.py; this is the table's own."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from x25.state.rate_slots import RateSlots
from x25.state.rates import Limited, Rates, Slot
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
