import asyncio
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)


async def test_of_many_at_once_one_gets_the_call_id(store):
    got = await asyncio.gather(*(store.claims.claim("acme", "c1", NOW, LONG_AGO) for _ in range(20)))
    assert sum(got) == 1
    assert await store.claims.claim("beta", "c1", NOW, LONG_AGO)
    assert await store.claims.claim("acme", "c2", NOW, LONG_AGO)


async def test_a_call_id_given_back_can_be_claimed_again(store):
    assert await store.claims.claim("acme", "c1", NOW, LONG_AGO)
    await store.claims.release("acme", "c1")
    assert await store.claims.claim("acme", "c1", NOW, LONG_AGO)


async def test_the_claim_of_a_process_that_died_before_it_bought_anything_lapses(store):
    assert await store.claims.claim("acme", "c1", LONG_AGO, LONG_AGO - timedelta(hours=1))
    assert not await store.claims.claim("acme", "c1", NOW, LONG_AGO)
    assert await store.claims.claim("acme", "c1", NOW, NOW)
