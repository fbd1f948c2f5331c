"""Whose a call is within its org, from every door to its row."""

import asyncio

import pytest

from x25.graph.build import build_cascade


async def user_of(store, call_id):
    return (await store.calls.get("default", call_id)).user_id


async def test_a_compiled_graph_logs_whose_a_run_is_and_the_next_run_is_nobodys(cascade):
    from langgraph.checkpoint.memory import InMemorySaver

    graph = build_cascade(cascade.services).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    first = await graph.ainvoke({"prompt": "hello", "user_id": "ada"}, thread)
    second = await graph.ainvoke({"prompt": "and now?"}, thread)
    store = cascade.services.store
    assert await user_of(store, first["call_id"]) == "ada"
    assert await user_of(store, second["call_id"]) is None


@pytest.mark.parametrize("checkpoints", ["exit", "sync", "off"])
async def test_a_call_of_the_gateway_is_its_users(open_gateway, checkpoints):
    cascade = await open_gateway(checkpoints=checkpoints)
    ids = await asyncio.gather(*(cascade.route({"prompt": "hi", "user_id": f"u{n}"}) for n in range(3)))
    assert [await user_of(cascade.services.store, one["call_id"]) for one in ids] == ["u0", "u1", "u2"]
