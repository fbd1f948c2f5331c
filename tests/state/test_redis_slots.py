"""What both counters promise is in tests/contracts/test_rates_contract.py; this is Redis' own."""

import pytest

from x25.state.rates import Limited, Rates, Slot
from x25.state.redis_link import redis_link
from x25.state.redis_slots import RedisSlots


@pytest.fixture
async def client(redis):
    async with redis_link(redis.url) as link:
        yield link.client


async def test_what_is_kept_of_an_owner_is_small_and_ends(client):
    counts = RedisSlots(client, None)
    one = Limited("acme", "key:k1", Rates(1_000, 10**6, 100))
    for number in range(20):
        slot = Slot(f"s{number}", (one,), 7)
        await counts.take(slot, 60)
        await counts.end(slot, 3)
    keys = sorted(await client.keys("*"))
    assert keys == ["x25:rates:{acme}:key:k1:taken", "x25:rates:{acme}:key:k1:tokens"]  # nothing is open
    assert await client.hget(keys[1], "") == "60"
    assert all([0 < await client.ttl(key) < 8_000 for key in keys])
    assert counts.reason is None


async def test_an_owner_is_nobody_elses(client):
    counts = RedisSlots(client, None)
    for org in ("acme", "acme-b"):
        for owner in ("org", "key:k1"):
            (standing,) = await counts.take(Slot(f"{org}-{owner}", (Limited(org, owner, Rates(5)),), 0), 60)
            assert standing.requests == 1
