"""What limits a minute promise wherever they are counted: in the database, or in Redis."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from x25.state.errors import TooManyRequests
from x25.state.rate_slots import RateSlots
from x25.state.rates import Limited, Rates, Slot, headers_of
from x25.state.redis_link import redis_link
from x25.state.redis_slots import RedisSlots
from x25.state.store import open_store


def slot(name, rates, tokens=0, owner="key:k1"):
    return Slot(name, (Limited("acme", owner, rates),), tokens)


class Moved:
    """A clock that tests move; Redis goes by its own, so there what was taken is moved back instead."""

    def __init__(self):
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture(params=["sqlite", "redis", pytest.param("postgres", marks=pytest.mark.slow)])
async def counters(request, tmp_path):
    """Return two counters, as of two gateways, and a function that lets time pass."""
    clock = Moved()
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
        async with (
            redis_link(url) as one,
            redis_link(url) as other,
            await open_store("sqlite+aiosqlite://") as store,
        ):
            ours, theirs = one.client, other.client

            async def later(seconds):
                for part in ("taken", "open"):
                    async for key in ours.scan_iter(f"x25:rates:*:{part}"):
                        for member in await ours.zrange(key, 0, -1):
                            await ours.zincrby(key, -seconds * 1e6, member)

            yield RedisSlots(ours, store.rates), RedisSlots(theirs, store.rates), later
        return
    url = (
        request.getfixturevalue("postgres_url")
        if request.param == "postgres"
        else f"sqlite+aiosqlite:///{tmp_path}/x25.db"
    )
    async with await open_store(url) as one, await open_store(url) as other:

        async def later(seconds):
            clock.now += timedelta(seconds=seconds)

        yield RateSlots(one._database, clock), RateSlots(other._database, clock), later


async def refused(counter, one):
    with pytest.raises(TooManyRequests) as caught:
        await counter.take(one, 60)
    return caught.value


async def test_of_many_at_once_as_many_as_the_limit_are_let_in(counters):
    rates = Rates(requests_per_minute=7)
    found = await asyncio.gather(
        *(counters[n % 2].take(slot(f"s{n}", rates), 60) for n in range(30)), return_exceptions=True
    )
    assert sum(isinstance(one, list) for one in found) == 7
    assert {type(one) for one in found if not isinstance(one, list)} == {TooManyRequests}
    await counters[0].take(slot("other", rates, owner="key:k2"), 60)


async def test_the_last_minute_counts_and_says_when_it_has_room_again(counters):
    one, other, later = counters
    rates = Rates(requests_per_minute=2)
    await one.take(slot("a", rates), 60)
    await later(40)
    await other.take(slot("b", rates), 60)
    await later(10)
    assert (await refused(one, slot("c", rates))).retry_after_s in {9, 10}
    await later(11)
    await other.take(slot("c", rates), 60)
    assert (await refused(one, slot("d", rates))).retry_after_s in {38, 39, 40}


async def test_tokens_are_reserved_then_counted_as_they_were(counters):
    one, other, later = counters
    rates = Rates(tokens_per_minute=100)
    first = slot("a", rates, 60)
    (standing,) = await one.take(first, 60)
    assert standing.headers()["x-ratelimit-remaining-tokens"] == "40"
    await refused(other, slot("b", rates, 50))
    await one.end(first, 20)
    await other.take(slot("b", rates, 50), 60)
    # A call that alone is larger than the limit waits for an empty minute, then comes in.
    await refused(one, slot("big", rates, 500))
    await later(61)
    big = slot("big", rates, 500)
    await one.take(big, 60)
    await one.end(big, 300)
    assert (await refused(other, slot("c", rates, 1))).retry_after_s in {59, 60}


async def test_calls_under_way_are_bounded_until_they_end_or_their_process_is_dead(counters):
    one, other, later = counters
    rates = Rates(concurrent_calls=2)
    first, second = slot("a", rates), slot("b", rates)
    await one.take(first, 60)
    await other.take(second, 60)
    assert (await refused(one, slot("c", rates))).retry_after_s == 1
    await other.end(first, 0)
    await one.take(slot("c", rates), 200)
    await later(61)
    await one.take(slot("d", rates), 60)  # of the second nobody ever heard again
    await refused(one, slot("e", rates))


async def test_what_was_refused_takes_nothing_of_anybody(counters):
    one, other, _ = counters
    org, key = Limited("acme", "org", Rates(5)), Limited("acme", "key:k1", Rates(1, 1000))
    taken = Slot("a", (org, key), 10)
    standings = await one.take(taken, 60)
    assert headers_of(standings)["x-ratelimit-remaining-requests"] == "0"
    for number in range(6):
        await refused(other, Slot(f"r{number}", (org, key), 10))
    standings = await one.take(Slot("b", (org,), 10), 60)
    assert standings[0].requests == 2
    await one.give_back(taken)
    await one.take(Slot("c", (org, key), 1000), 60)


async def test_a_dead_redis_leaves_the_counting_to_the_database(redis, tmp_path):
    clock_s = [0.0]
    rates = Rates(requests_per_minute=2, concurrent_calls=5)
    url = f"sqlite+aiosqlite:///{tmp_path}/x25.db"
    async with await open_store(url) as store, redis_link(redis.url) as link:
        counts = RedisSlots(link.client, store.rates, lambda: clock_s[0])
        redis.stop()
        first = slot("a", rates)
        await counts.take(first, 60)
        await counts.take(slot("b", rates), 60)
        await refused(counts, slot("c", rates))
        assert "Redis does not answer" in counts.reason
        redis.start()
        await refused(counts, slot("c", rates))  # it is left alone for a while
        clock_s[0] += 6.0
        await counts.take(slot("c", rates), 60)
        assert counts.reason is None
        await counts.end(first, 0)  # where it was counted
        under_way = await store.query(
            lambda connection: connection.exec_driver_sql(
                "SELECT count(*) FROM rate_slots WHERE open_until IS NOT NULL"
            ).scalar()
        )
        assert under_way == 1
