import asyncio
from datetime import UTC, datetime

from x25.nodes.cache.flights import Flights
from x25.state.hits import Hit, KeptAnswer

KEPT = KeptAnswer({}, "stop", None, {}, "v/m", "v", "mid", True, "qa", "qa", 0.1, 0.9, {}, 100)
HIT = Hit("exact", "c1", datetime(2026, 1, 1, tzinfo=UTC), KEPT)


async def test_equal_requests_wait_for_the_first_and_get_its_answer():
    flights = Flights()
    assert await flights.join("acme", "k", "c1", 5.0) is None
    waiting = [asyncio.create_task(flights.join("acme", "k", f"c{n}", 5.0)) for n in range(2, 6)]
    await asyncio.sleep(0)
    flights.land("acme", "c1", HIT)
    assert await asyncio.gather(*waiting) == [HIT] * 4
    assert len(flights) == 0


async def test_a_leader_that_brings_nothing_lets_the_others_go_on():
    flights = Flights()
    await flights.join("acme", "k", "c1", 5.0)
    waiting = asyncio.create_task(flights.join("acme", "k", "c2", 5.0))
    await asyncio.sleep(0)
    flights.land("acme", "c1", None)
    assert await waiting is None
    assert await flights.join("acme", "k", "c3", 5.0) is None  # leads now
    assert len(flights) == 1


async def test_other_orgs_and_other_requests_wait_for_nobody():
    flights = Flights()
    for org, key in (("acme", "k"), ("other", "k"), ("acme", "k2")):
        assert await asyncio.wait_for(flights.join(org, key, f"{org}{key}", 60.0), 1.0) is None


async def test_nobody_waits_longer_than_it_may_and_one_that_leaves_takes_nobody_along():
    flights = Flights()
    await flights.join("acme", "k", "c1", 5.0)
    assert await flights.join("acme", "k", "c2", 0.01) is None
    gone = asyncio.create_task(flights.join("acme", "k", "c3", 5.0))
    stays = asyncio.create_task(flights.join("acme", "k", "c4", 5.0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    flights.land("acme", "c1", HIT)
    assert await stays == HIT


async def test_a_call_that_leads_nobody_lands_quietly():
    Flights().land("acme", "c9", HIT)
