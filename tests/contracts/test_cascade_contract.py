"""What a whole call must do on each database: store, chain and checkpoints together."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from x25.api.routes.feedback import take
from x25.graph.checkpoints import delete_checkpoints, path_of, values_of
from x25.graph.feedback import Feedback
from x25.graph.run import open_cascade
from x25.graph.settings import load_settings
from x25.state.errors import NotFound

NEIGHBOURS = ("a", "a-b", "ab")
"""Orgs whose checkpoint threads lie next to each other in the primary key."""


@pytest.fixture
async def cascade(database_url, simulator, tmp_path):
    settings = load_settings(
        {},
        data_dir=tmp_path,
        upstream="simulator",
        simulator_url=simulator.url,
        database_url=database_url,
        seed=5,
    )
    async with open_cascade(settings) as opened:
        yield opened


async def route_all(cascade, calls: int) -> list[dict]:
    requests = ({"prompt": f"What is {n} + 4?", "org": NEIGHBOURS[n % 3]} for n in range(calls))
    return await asyncio.gather(*map(cascade.route, requests))


async def test_parallel_calls_of_three_orgs_leave_three_intact_chains_and_true_sums(cascade):
    replies = await route_all(cascade, 24)
    store = cascade.services.store
    for org in NEIGHBOURS:
        own = [reply for reply in replies if reply["org"] == org]
        verification = await store.audit.verify(org)
        assert (verification.intact, verification.total_records) == (True, 8)
        stats = await store.calls.stats(org)
        assert stats.total_calls == await store.orgs.call_count(org) == 8
        assert stats.cost_nusd == sum(round(reply["cost_usd"] * 1e9) for reply in own)
        spent = sum(round((reply["cost_usd"] + reply["judge_cost_usd"]) * 1e9) for reply in own)
        assert await store.attempts.spent_nusd(org) == spent


async def test_the_path_of_a_call_is_kept_and_none_of_its_words(cascade):
    reply = (await route_all(cascade, 1))[0]
    await cascade.drain()
    path = await path_of(cascade.saver, "a", reply["call_id"])
    assert [step["node"] for step in path][:4] == [
        "lookup_cache", "classify", "estimate_difficulty", "thompson_select",
    ]  # fmt: skip
    values = await values_of(cascade.saver, "a", reply["call_id"])
    assert "What is 0 + 4?" not in str(values)
    assert reply["text"] not in str(values.get("held", ""))


async def test_deleting_an_orgs_checkpoints_leaves_its_neighbours(cascade):
    replies = await route_all(cascade, 6)
    await cascade.drain()
    assert await delete_checkpoints(cascade.saver, org="a") == 2
    for reply in replies:
        if reply["org"] == "a":
            with pytest.raises(NotFound):
                await path_of(cascade.saver, "a", reply["call_id"])
        else:
            assert await path_of(cascade.saver, reply["org"], reply["call_id"])


async def test_checkpoints_are_deleted_by_age(cascade):
    await route_all(cascade, 3)
    await cascade.drain()
    assert await delete_checkpoints(cascade.saver, before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert await delete_checkpoints(cascade.saver, before=datetime.now(UTC) + timedelta(seconds=1)) == 3


async def test_feedback_on_an_id_that_no_call_could_have_finds_none(cascade):
    with pytest.raises(NotFound, match="has no call"):
        await take(cascade, "a", "c\x00", Feedback(score=1.0))
