"""Answers that are given again, through the whole graph, on both executors."""

import asyncio
import json

import pytest

from x25.graph.build import build_cascade
from x25.graph.checkpoints import values_of
from x25.state.errors import CallFailed, InvalidRequest
from x25.state.records import nusd_from_usd

EXECUTORS = pytest.mark.parametrize("executor", ["direct", "langgraph"])
QUESTION = "What is the capital of France?"
VARIES = {"call_id", "conversation_id", "latency_ms", "audit_hash", "cached", "explain", "goal_match"}


async def settle(cascade, org, **settings):
    await cascade.services.store.org_settings.change(org, lambda _: settings, "test")


@EXECUTORS
async def test_the_second_call_asks_nobody_and_takes_the_short_way(open_gateway, bills, executor):
    cascade = await open_gateway(executor=executor, judge="none")
    first = await cascade.route({"prompt": QUESTION, "cache": "exact"})
    second = await cascade.route({"prompt": QUESTION, "cache": "exact"})
    assert (second["text"], second["message"]) == (first["text"], first["message"])
    assert second["cached"]["call_id"] == first["call_id"]
    assert [one["node"] for one in second["explain"]["path"]] == ["lookup_cache", "serve_hit"]
    assert len(bills(first["call_id"])) == 1
    assert bills(second["call_id"]) == []
    assert await cascade.services.store.attempts.for_call("default", second["call_id"]) == []
    assert (await cascade.services.store.audit.verify("default")).intact
    await cascade.drain()
    values = await values_of(cascade.saver, "default", second["call_id"])
    assert [one["node"] for one in values["timings"]] == ["lookup_cache", "serve_hit"]


async def test_both_executors_say_and_write_the_same_of_a_hit(open_gateway, tmp_path):
    found = []
    for executor in ("direct", "langgraph"):
        cascade = await open_gateway(executor=executor, judge="none", data_dir=tmp_path / executor)
        await cascade.route({"prompt": QUESTION, "cache": "exact", "router": "sim/small-2"})
        reply = await cascade.route({"prompt": QUESTION, "cache": "exact", "router": "sim/small-2"})
        row = await cascade.services.store.calls.get("default", reply["call_id"])
        told = {name: value for name, value in reply.items() if name not in VARIES}
        found.append((told, row.cost_nusd, row.cache_type, row.task_type, reply["cached"]["hit"]))
    assert found[0] == found[1]
    assert json.dumps(found[0][0])


async def test_no_other_org_user_setting_or_parameter_gets_it(open_gateway):
    cascade = await open_gateway(judge="none")
    asked = {"prompt": QUESTION, "cache": "exact", "org": "acme"}
    await cascade.route(asked)
    for other in (
        {"org": "other"}, {"options": {"temperature": 0.3}}, {"router": "sim/small-2"}, {"policy": {"max_tier": "slm"}},
        {"routing_override": {"model": "sim/small-2"}}, {"prompt": f"{QUESTION} "}, {"hint": "code"},
    ):  # fmt: skip
        assert not (await cascade.route({**asked, **other}))["cached"]["hit"], other
    assert (await cascade.route(asked))["cached"]["hit"]


async def test_without_a_wish_nothing_is_kept(open_gateway):
    cascade = await open_gateway(judge="none")
    assert [(await cascade.route({"prompt": QUESTION}))["cached"] for _ in range(2)] == [None, None]
    assert len(cascade.services.caches._here) == 0


async def test_fresh_off_and_age_are_honoured(open_gateway):
    cascade = await open_gateway(judge="none", cache="exact")
    first = await cascade.route({"prompt": QUESTION})
    assert (await cascade.route({"prompt": QUESTION, "cache": "off"}))["cached"] is None
    fresh = await cascade.route({"prompt": QUESTION, "cache": "fresh"})
    assert (fresh["cached"]["hit"], fresh["cached"]["kept"]) == (False, True)
    newest = await cascade.route({"prompt": QUESTION})
    assert newest["cached"]["call_id"] == fresh["call_id"] != first["call_id"]
    await asyncio.sleep(0.02)
    old = await cascade.route({"prompt": QUESTION, "cache": {"max_age_s": 0.01}})
    assert not old["cached"]["hit"]


async def test_a_rewording_hits_where_the_org_switched_it_on(open_gateway):
    cascade = await open_gateway(judge="none")
    await settle(cascade, "acme", cache="near")
    first = await cascade.route({"prompt": QUESTION, "org": "acme"})
    near = await cascade.route({"prompt": "Please tell me France's capital", "org": "acme"})
    assert (near["cached"]["type"], near["cached"]["call_id"]) == ("semantic", first["call_id"])
    miss = await cascade.route({"prompt": "What is the capital of Spain?", "org": "acme"})
    assert not miss["cached"]["hit"]
    with pytest.raises(InvalidRequest, match="near is off until an org switches it on"):
        await cascade.route({"prompt": QUESTION, "org": "other", "cache": "near"})


async def test_equal_calls_at_once_buy_one_answer(open_gateway):
    cascade = await open_gateway(judge="none")
    asked = {"prompt": "Why is the sky blue?", "cache": "exact"}
    replies = await asyncio.gather(*(cascade.route(asked) for _ in range(12)))
    assert sum(reply["cached"]["hit"] for reply in replies) == 11
    assert len({reply["text"] for reply in replies}) == 1
    assert len({reply["call_id"] for reply in replies}) == 12
    assert sum(nusd_from_usd(reply["cost_usd"]) > 0 for reply in replies) == 1
    assert len(cascade.services.caches.flights) == 0


async def test_a_leader_that_fails_fails_nobody_else(open_gateway, fault, simulator):
    cascade = await open_gateway(judge="none")
    fault("500")
    asked = {"prompt": "Why is the sea salty?", "cache": "exact"}
    leader = cascade.begin(asked)
    while not len(cascade.services.caches.flights):
        await asyncio.sleep(0.001)
    followers = [cascade.begin(asked) for _ in range(3)]
    done = asyncio.create_task(asyncio.wait({leader}))
    await done
    simulator.set_scenario([])
    with pytest.raises(CallFailed):
        await leader
    outcomes = await asyncio.gather(*followers, return_exceptions=True)
    # Each went its own way: those that began while models failed may have failed by themselves, none was left waiting.
    assert len(cascade.services.caches.flights) == 0
    assert all(isinstance(one, CallFailed) or one["text"] for one in outcomes)
    assert (await cascade.route(asked))["text"]


async def test_a_cancelled_leader_lets_the_others_go_on(open_gateway, fault, simulator):
    cascade = await open_gateway(judge="none")
    fault("timeout")
    asked = {"prompt": "Why is grass green?", "cache": "exact"}
    leader = cascade.begin(asked)
    while not len(cascade.services.caches.flights):
        await asyncio.sleep(0.001)
    follower = cascade.begin(asked)
    await asyncio.sleep(0.05)
    simulator.set_scenario([])
    leader.cancel()
    reply = await asyncio.wait_for(follower, 10)
    assert not reply["cached"]["hit"]
    assert reply["cost_usd"] > 0


@pytest.mark.parametrize("stored", [True, False])
async def test_an_erased_call_is_given_to_nobody(open_gateway, stored):
    cascade = await open_gateway(judge="none", store_prompts=stored)
    first = await cascade.route({"prompt": QUESTION, "cache": "exact"})
    await cascade.erase("default", first["call_id"])
    assert not (await cascade.route({"prompt": QUESTION, "cache": "exact"}))["cached"]["hit"]


async def test_gateways_on_one_store_share_answers_where_words_are_kept(open_gateway):
    one, other = [await open_gateway(judge="none", store_prompts=True) for _ in range(2)]
    first = await one.route({"prompt": QUESTION, "cache": "exact"})
    assert (await other.route({"prompt": QUESTION, "cache": "exact"}))["cached"]["call_id"] == first[
        "call_id"
    ]


async def test_a_hit_is_no_evidence_and_no_training_material(cascade):
    asked = {"prompt": QUESTION, "cache": "exact", "router": "x25-classic"}
    await cascade.route(asked)
    store = cascade.services.store
    before = await store.posteriors.read_all("default")
    for _ in range(3):
        await cascade.route(asked)
    assert await store.posteriors.read_all("default") == before
    assert len(await store.calls.with_inputs("default", 10)) == 1
    sums = await store.calls.stats("default")
    assert (sums.total_calls, sums.cache_hits) == (4, 3)
    first = await store.calls.list("default", 1)
    assert sums.cache_saved_nusd == 3 * first[0].cache_saved_nusd


async def test_a_mode_leaves_memory_out_and_says_so_where_it_is_asked_for(open_gateway):
    cascade = await open_gateway(judge="none")
    wish = {"prompt": QUESTION, "memory": {"enabled": True}}
    assert (await cascade.route({**wish, "mode": "full"}))["remembered"] is not None
    with pytest.raises(InvalidRequest, match="mode cache uses no memory"):
        await cascade.route({**wish, "mode": "cache"})
    assert (await cascade.route({"prompt": QUESTION, "mode": "proxy"}))["cached"] is None


async def test_an_edit_by_hand_is_another_request_and_poisons_nothing(served):
    config = {"configurable": {"thread_id": "t"}}
    paused = served.builder.compile(checkpointer=served.checkpointer, interrupt_after=["lookup_cache"])
    await paused.ainvoke({"prompt": QUESTION, "cache": "exact"}, config)
    await paused.aupdate_state(config, {"prompt": "What is the capital of Spain?"})
    await paused.ainvoke(None, config)
    reply = await served.ainvoke({"prompt": QUESTION, "cache": "exact"}, {"configurable": {"thread_id": "u"}})
    assert not reply["cached"]["hit"]
    again = await served.ainvoke({"prompt": QUESTION, "cache": "exact"}, {"configurable": {"thread_id": "v"}})
    assert again["cached"]["hit"]
    assert again["messages"][-1].content == reply["text"]


@pytest.fixture
async def served(cascade):
    from langgraph.checkpoint.memory import InMemorySaver

    return build_cascade(cascade.services).compile(checkpointer=InMemorySaver())
