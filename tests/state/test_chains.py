import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from x25.state.chains import KEPT, ChainBounds
from x25.state.errors import ChainEnded

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FREE, THREE = ChainBounds(), ChainBounds(max_steps=3)


def after(seconds):
    return NOW + timedelta(seconds=seconds)


async def test_of_many_calls_at_once_as_many_as_may_be_are_let_in(store):
    asked = (store.chains.step("acme", "w1", THREE, NOW) for _ in range(12))
    got = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(one for one in got if isinstance(one, int)) == [1, 2, 3]
    refused = [one for one in got if isinstance(one, ChainEnded)]
    assert len(refused) == 9
    assert {one.field for one in refused} == {"routing_hints.max_chain_steps"}
    assert await store.chains.step("acme", "w1", FREE, NOW) == 4  # those refused were not counted


async def test_a_chain_is_its_orgs_own(store):
    for org, chain in (("acme", "w1"), ("beta", "w1"), ("acme", "w2")):
        assert await store.chains.step(org, chain, FREE, NOW) == 1


async def test_the_time_runs_from_the_first_step(store):
    hour = ChainBounds(timeout_s=3600.0)
    assert await store.chains.step("acme", "w1", hour, NOW) == 1
    assert await store.chains.step("acme", "w1", hour, after(3600)) == 2
    with pytest.raises(ChainEnded) as ended:
        await store.chains.step("acme", "w1", hour, after(3601))
    assert (ended.value.field, ended.value.code) == ("routing_hints.chain_timeout_s", "chain_limit_reached")


async def test_a_step_that_is_taken_back_leaves_room_and_the_last_one_no_chain(store):
    for _ in range(2):
        assert await store.chains.step("acme", "w1", ChainBounds(max_steps=1), NOW) == 1
        await store.chains.step_back("acme", "w1")
    assert await store.chains.step("acme", "w1", ChainBounds(timeout_s=1.0), after(5)) == 1


async def test_a_chain_that_takes_no_step_for_long_is_forgotten(store):
    await store.chains.step("acme", "w1", FREE, NOW)
    late = NOW + KEPT + timedelta(seconds=1)
    assert await store.chains.step("acme", "w2", FREE, late) == 1
    assert await store.chains.step("acme", "w1", FREE, late) == 1
