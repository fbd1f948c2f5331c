"""Limits a minute of calls that come through no HTTP door."""

import asyncio

import pytest

from x25.graph.build import build_cascade
from x25.graph.question import Question
from x25.nodes.org.rates import slot_of
from x25.routing.plan.org_settings import OrgSettings
from x25.state.errors import CallFailed, InvalidRequest, TooManyRequests
from x25.state.rates import Limited, Rates
from x25.state.types import DoorContext


@pytest.fixture
def keep_settings(cascade, monkeypatch):
    """Settings stay as they were put, however long the test takes."""
    monkeypatch.setattr(cascade.services.org_settings, "_look_every_s", 1e9)


def limit_now(cascade, org="acme", **limits):
    now_s = cascade.services.clock_s()
    cascade.services.org_settings.keep(org, OrgSettings.parse({"limits": limits}), now_s)


async def under_way(cascade, org="acme"):
    """Return how many requests, tokens and open calls are counted of an org."""
    asked = Limited(org, "org", Rates(concurrent_calls=10**6))
    slot = slot_of([asked], (), {}, "me")
    (standing,) = await cascade.services.rates.take(slot, 1.0)
    await cascade.services.rates.give_back(slot)
    return standing.requests - 1, standing.tokens, standing.under_way - 1


ASKED = {"prompt": "What is 2 + 2?", "org": "acme"}


@pytest.mark.usefixtures("keep_settings")
async def test_a_call_from_python_counts_once_and_the_next_beyond_the_limit_is_refused(cascade):
    limit_now(cascade, requests_per_minute=2)
    for _ in range(2):
        assert (await cascade.route(dict(ASKED)))["text"]
    with pytest.raises(TooManyRequests, match="this org may ask 2 times a minute"):
        await cascade.route(dict(ASKED))
    assert (await under_way(cascade))[::2] == (2, 0)
    assert (await cascade.route({**ASKED, "org": "other"}))["text"]


@pytest.mark.usefixtures("keep_settings")
async def test_a_compiled_graph_is_under_the_same_limit(cascade):
    limit_now(cascade, requests_per_minute=1)
    graph = build_cascade(cascade.services).compile()
    assert (await graph.ainvoke(dict(ASKED)))["text"]
    with pytest.raises(TooManyRequests):
        await graph.ainvoke(dict(ASKED))
    with pytest.raises(TooManyRequests):
        await cascade.route(dict(ASKED))


@pytest.mark.usefixtures("keep_settings")
async def test_what_its_door_counted_is_not_counted_again(cascade):
    limit_now(cascade, requests_per_minute=1)
    for _ in range(3):
        await cascade.route(dict(ASKED), DoorContext(is_counted=True))
    assert await under_way(cascade) == (0, 0, 0)


@pytest.mark.usefixtures("keep_settings")
async def test_the_tokens_it_took_take_the_place_of_those_it_asked_for(cascade):
    limit_now(cascade, tokens_per_minute=100_000)
    reply = await cascade.route({**ASKED, "options": {"max_tokens": 5000}})
    taken = reply["usage"]["total_tokens"]
    assert taken <= (await under_way(cascade))[1] < 5000


@pytest.mark.usefixtures("keep_settings")
async def test_a_request_that_is_refused_for_its_fields_counts_nothing(cascade):
    limit_now(cascade, requests_per_minute=1)
    with pytest.raises(InvalidRequest):
        await cascade.route({**ASKED, "policy": {"no_such": 1}})
    assert (await cascade.route(dict(ASKED)))["text"]


@pytest.mark.usefixtures("keep_settings")
async def test_a_call_that_failed_has_left_and_one_refused_gives_its_id_back(cascade, fault):
    limit_now(cascade, concurrent_calls=1)
    fault("500", "sim/*", every=1)
    with pytest.raises(CallFailed):
        await cascade.route(dict(ASKED))
    fault("latency;ms=2000", "sim/*", every=1)
    first = asyncio.create_task(cascade.route(dict(ASKED)))
    await asyncio.sleep(0.3)
    with pytest.raises(TooManyRequests, match="calls under way"):
        await cascade.route({**ASKED, "call_id": "again-1"})
    fault("latency;ms=1", "sim/*", every=1)
    await first
    assert (await cascade.route({**ASKED, "call_id": "again-1"}))["text"]


@pytest.mark.usefixtures("keep_settings")
async def test_a_decision_from_python_counts_and_leaves(cascade):
    limit_now(cascade, requests_per_minute=1, concurrent_calls=5)
    question = Question(prompt="What is 2 + 2?", org="acme")
    await cascade.decide(question)
    assert (await under_way(cascade))[::2] == (1, 0)
    with pytest.raises(TooManyRequests):
        await cascade.decide(question)
    await cascade.decide(question, is_counted=True)
