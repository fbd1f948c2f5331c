import asyncio
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from x25.graph.build import build_cascade
from x25.graph.subgraph import as_node


class Conversation(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    x25: dict[str, Any]


class Plain(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def parent(schema, node):
    builder = StateGraph(schema)
    builder.add_node("x25", node)
    builder.add_edge(START, "x25")
    builder.add_edge("x25", END)
    return builder.compile()


async def test_a_conversation_is_answered_inside_a_parent_graph(chat_models):
    graph = parent(Conversation, as_node(chat_models, org="acme", optimize_for={"cost": 1.0}))
    state = await graph.ainvoke({"messages": [SystemMessage("Be kind."), HumanMessage("ping")]})
    answer, reply = state["messages"][-1], state["x25"]
    assert answer.content == f"echo-{reply['tier']} says: ping"
    assert answer.response_metadata["model_name"] == reply["model_used"]
    assert reply["org"] == "acme"
    assert len(state["messages"]) == 3


async def test_none_of_the_cascades_channels_enters_the_parent(chat_models):
    graph = parent(Plain, as_node(chat_models))
    assert {name for name in graph.channels if not name.startswith(("__", "branch:"))} == {"messages"}
    assert (await graph.ainvoke({"messages": [HumanMessage("ping")]})).keys() == {"messages"}


async def test_thirty_conversations_at_once_keep_to_themselves(chat_models):
    graph = parent(Plain, as_node(chat_models))
    states = await asyncio.gather(*(graph.ainvoke({"messages": [HumanMessage(f"n{n}x")]}) for n in range(30)))
    assert all(state["messages"][-1].content.endswith(f"says: n{n}x") for n, state in enumerate(states))


async def test_opened_services_are_used_as_they_are(cascade, bills):
    graph = parent(Conversation, as_node(cascade.services, policy={"max_tier": "slm"}))
    reply = (await graph.ainvoke({"messages": [HumanMessage("ping")]}))["x25"]
    assert reply["simulated"]
    assert reply["tier"] == "slm"
    assert await cascade.services.store.calls.get("default", reply["call_id"]) is not None
    assert bills(reply["call_id"])


async def test_tool_calls_reach_the_parent_as_tool_calls(cascade):
    tool = {
        "type": "function",
        "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
    }
    node = as_node(cascade.services, options={"tools": [tool], "tool_choice": "required"})
    answer = (await node({"messages": [HumanMessage("look it up")]}))["messages"][0]
    assert [call["name"] for call in answer.tool_calls] == ["look"]


async def test_something_else_than_models_is_refused():
    from x25.state.errors import ConfigError

    with pytest.raises(ConfigError, match="got int"):
        as_node(3)


def test_a_script_may_call_asyncio_run_again_and_again_and_learning_goes_on():
    models = {tier: FakeListChatModel(responses=[f"from {tier}"]) for tier in ("slm", "mid", "frontier")}
    graph = build_cascade(models).compile()

    async def several(calls: int) -> list[int]:
        replies = await asyncio.gather(*(graph.ainvoke({"prompt": f"hi {n}"}) for n in range(calls)))
        return [reply["stage"]["total_calls"] for reply in replies]

    assert asyncio.run(several(1)) == [1]
    assert sorted(asyncio.run(several(20))) == list(range(2, 22))
    assert sorted(asyncio.run(several(20))) == list(range(22, 42))
