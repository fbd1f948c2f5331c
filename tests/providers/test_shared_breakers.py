"""Two gateways' breakers through a real Redis."""

from dataclasses import replace

import pytest

from x25.providers.breaker import DEFAULT_TOLERANCE, Tolerance
from x25.providers.breakers import BreakerBook
from x25.providers.shared_breakers import BOOK, SharedBreakers
from x25.providers.specs import Deployment
from x25.state.errors import ProviderServer
from x25.state.redis_link import redis_link

ONE = Deployment("one", "https://one.example/v1", "m", ("K",))
THREE = Tolerance(failures=3, rest_s=10.0, longest_rest_s=40.0, probe_s=4.0)


class Replica:
    """A gateway with a monotonic clock that began at another time than the others'."""

    def __init__(self, link, now_s, tolerance=THREE):
        self.now_s = now_s
        self.book = BreakerBook(tolerance)
        self.shared = SharedBreakers(link, self.book, lambda: self.now_s)
        self.book.replicas = self.shared

    def fail(self, spec, times=3, org=""):
        for _ in range(times):
            self.book.failed(spec, ONE, "k1", ProviderServer("down"), self.now_s, org)

    async def admits(self, org=""):
        return await self.book.admit(ONE, "k1", self.now_s, org)


@pytest.fixture
async def pair(redis):
    async with redis_link(redis.url) as link:
        yield Replica(link, 1000.0), Replica(link, 5.0)


async def test_what_one_gateway_opens_the_other_leaves_alone_and_what_one_closes_both_do(pair, model):
    first, second = pair
    first.fail(model())
    assert await second.admits()
    await first.shared.exchange()
    await second.shared.exchange()
    assert not await second.admits()
    assert second.book.wait_s(ONE, second.now_s) == pytest.approx(10.0, abs=1.0)
    assert [one.label.model_id for one in second.book.told(second.now_s)] == ["acme/small"] * 2
    second.now_s += 11.0
    assert await second.admits()
    second.book.answered(ONE, "k1")
    await second.shared.exchange()
    await first.shared.exchange()
    assert (len(first.book), await first.admits()) == (0, True)


async def test_one_probe_is_sent_of_all_gateways(pair, model):
    first, second = pair
    first.fail(model())
    await first.shared.exchange()
    await second.shared.exchange()
    first.now_s, second.now_s = first.now_s + 11.0, second.now_s + 11.0
    assert [await first.admits(), await second.admits()] == [True, False]


async def test_without_redis_each_goes_by_what_it_knows(pair, model, redis):
    first, second = pair
    redis.stop()
    first.fail(model())
    await first.shared.exchange()
    await second.shared.exchange()
    assert [await first.admits(), await second.admits()] == [False, True]
    first.now_s += 11.0
    assert await first.admits()
    redis.start()
    first.fail(model(), times=1)
    await first.shared.exchange()
    await second.shared.exchange()
    assert not await second.admits()


async def test_no_key_is_in_redis_and_what_is_not_readable_is_passed_over(pair, model):
    first, second = pair
    first.book.failed(model(), ONE, "sk-secret", ProviderServer("down"), 1.0)
    first.fail(model())
    await first.shared.exchange()
    client = first.shared._link.client
    assert "sk-secret" not in str(await client.hgetall(BOOK))
    row = '"model": "m", "deployment": "d", "key": "", "owner": ""}'
    odd = ("{", "[]", "null", f'{{"until": NaN, "openings": 1, {row}', f'{{"until": 1e400, "openings": 1e400, {row}',
           f'{{"until": 1e308, "openings": -1, {row}', f'{{"until": 1, "openings": {10**30}, {row}')  # fmt: skip
    for number, text in enumerate(odd):
        await client.hset(BOOK, f"bad{number}", text)
    await second.shared.exchange()
    assert not await second.admits()


async def test_one_that_nobody_asks_any_more_is_forgotten(pair, model):
    first, second = pair
    first.fail(model())
    first.now_s -= 700.0  # as if it had opened long ago
    first.shared._changes = {
        place: (replace(breaker, until_s=breaker.until_s - 1400.0), label)
        for place, (breaker, label) in first.shared._changes.items()
    }
    await first.shared.exchange()
    await second.shared.exchange()
    await second.shared.exchange()
    assert (len(second.book), await first.shared._link.client.hgetall(BOOK)) == (0, {})


async def exchanged(*replicas):
    for _ in range(2):
        for one in replicas:
            await one.shared.exchange()


async def test_one_orgs_poison_reaches_no_other_org_of_another_gateway(redis, model):
    """With the shipped tolerance."""
    async with redis_link(redis.url) as link:
        first, second = Replica(link, 1000.0, DEFAULT_TOLERANCE), Replica(link, 5.0, DEFAULT_TOLERANCE)
        first.fail(model(), times=50, org="poison")
        await exchanged(first, second)
        assert [await one.admits("poison") for one in (first, second)] == [False, False]
        assert [await one.admits("other") for one in (first, second)] == [True, True]
        # Where others' requests fail as well it was no poison.
        first.fail(model(), times=4, org="other")
        await exchanged(first, second)
        assert [await one.admits("third") for one in (first, second)] == [False, False]


async def test_a_probe_that_told_nothing_leaves_room_for_another_gateways(pair, model):
    first, second = pair
    first.fail(model())
    await exchanged(first, second)
    first.now_s, second.now_s = first.now_s + 11.0, second.now_s + 11.0
    assert await first.admits()
    first.book.gave_up(ONE, "k1")
    await exchanged(first, second)
    assert await second.admits()


async def test_what_is_dropped_for_want_of_room_is_dropped_in_redis_too(pair, model):
    first, second = pair
    first.book.most_own = 4
    for number in range(10):
        first.fail(model(), org=f"org-{number}")
        first.book.answered(ONE, "k1", "well")
    await exchanged(first, second)
    assert len(await first.shared._link.client.hgetall(BOOK)) == 4
