import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import RetryPolicy

from x25.graph.build import build_cascade
from x25.graph.subgraph import as_node
from x25.state.errors import CallFailed, InvalidRequest


class Conversation(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    x25: dict[str, Any]


class Plain(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def parent(schema, node, checkpointer=None, **named):
    builder = StateGraph(schema)
    builder.add_node("x25", node, **named)
    builder.add_edge(START, "x25")
    builder.add_edge("x25", END)
    return builder.compile(checkpointer=checkpointer)


async def test_a_conversation_is_answered_inside_a_parent_graph(chat_models):
    graph = parent(Conversation, as_node(chat_models, org="acme", optimize_for={"cost": 1.0}))
    state = await graph.ainvoke({"messages": [SystemMessage("Be kind."), HumanMessage("ping")]})
    answer, reply = state["messages"][-1], state["x25"]
    assert answer.content == f"echo-{reply['tier']} says: ping"
    assert answer.response_metadata["model_name"] == reply["model_used"]
    assert reply["org"] == "acme"
    assert len(state["messages"]) == 3


@pytest.mark.parametrize("name", ["tools", "temperature", "stop", "optimise_for", "hnt"])
def test_a_field_that_no_request_has_is_refused_when_the_node_is_made(chat_models, name):
    with pytest.raises(InvalidRequest, match=f"{name} is no field of a request") as caught:
        as_node(chat_models, **{name: []})
    assert caught.value.field == name


async def test_options_reach_the_models_and_presets_are_known(chat_models):
    node = as_node(chat_models, options={"max_tokens": 5}, optimize_for="cost-first")
    reply = (await parent(Conversation, node).ainvoke({"messages": [HumanMessage("ping")]}))["x25"]
    assert reply["text"]


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
    answer = (await node.ainvoke({"messages": [HumanMessage("look it up")]}))["messages"][0]
    assert [call["name"] for call in answer.tool_calls] == ["look"]


async def test_something_else_than_models_is_refused():
    from x25.state.errors import ConfigError

    with pytest.raises(ConfigError, match="got int"):
        as_node(3)


async def test_the_answer_carries_its_tokens_its_model_and_an_id_that_is_the_calls(chat_models):
    graph = parent(Conversation, as_node(chat_models))
    state = await graph.ainvoke({"messages": [HumanMessage("ping")]})
    answer, reply = state["messages"][-1], state["x25"]
    assert answer.usage_metadata == {
        "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
        "input_token_details": {"cache_read": 0}, "output_token_details": {"reasoning": 0},
    }  # fmt: skip
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["token_usage"] == reply["usage"]
    assert answer.id == reply["call_id"]
    assert "messages" not in reply


def test_the_drawing_of_a_parent_shows_the_nodes_inside(chat_models):
    for node in (as_node(chat_models), build_cascade(chat_models).compile()):
        drawn = parent(Plain, node).get_graph(xray=True)
        inside = {name.removeprefix("x25:") for name in drawn.nodes if name.startswith("x25:")}
        assert {"lookup_cache", "dispatch", "judge", "stage_check"} <= inside
        assert len(inside - {"__end__"}) == 10


@pytest.mark.parametrize("durability", ["exit", "sync"])
async def test_each_run_of_the_node_is_a_call_of_its_own_that_leaves_the_parents_checkpoints_alone(
    chat_models, durability
):
    saver = InMemorySaver()
    graph = parent(Conversation, as_node(chat_models, org="acme"), checkpointer=saver)
    config = {"configurable": {"thread_id": "t"}}
    replies = [
        (await graph.ainvoke({"messages": [HumanMessage(f"n{n}")]}, config, durability=durability))["x25"]
        for n in range(3)
    ]
    assert [reply["stage"]["total_calls"] for reply in replies] == [1, 2, 3]
    assert replies[-1]["text"].endswith("says: n2")
    contents = [message.content for message in (await graph.aget_state(config)).values["messages"]]
    assert contents == [text for n, reply in enumerate(replies) for text in (f"n{n}", reply["text"])]
    assert {found.config["configurable"]["checkpoint_ns"] for found in saver.list(config)} == {""}


async def test_a_retry_of_the_node_asks_anew(chat_models, monkeypatch):
    failures = [RuntimeError("out of order")] * 3
    ask = type(chat_models["mid"])._generate

    def sometimes(self, *args, **kwargs):
        if failures:
            raise failures.pop()
        return ask(self, *args, **kwargs)

    monkeypatch.setattr(type(chat_models["mid"]), "_generate", sometimes)
    policy = RetryPolicy(max_attempts=3, initial_interval=0, jitter=False, retry_on=CallFailed)
    graph = parent(Conversation, as_node(chat_models), retry_policy=policy)
    state = await graph.ainvoke({"messages": [HumanMessage("ping")]})
    assert state["messages"][-1].content.endswith("says: ping")


# the compiled cascade itself, added to a parent


@pytest.fixture(params=["bare", "kept"])
def saver(request):
    return InMemorySaver() if request.param == "kept" else None


@pytest.fixture(params=[True, False])
def whole(request, chat_models):
    return build_cascade(chat_models, keep_text=request.param).compile(name="x25")


def contents_of(state):
    return [(message.type, message.content) for message in state["messages"]]


async def test_a_cascade_added_to_a_parent_adds_the_answer_once(whole, saver):
    graph = parent(Plain, whole, checkpointer=saver)
    config = {"configurable": {"thread_id": "t"}}
    earlier = [SystemMessage("Be kind."), HumanMessage("one"), AIMessage("first")]
    state = await graph.ainvoke({"messages": [*earlier, HumanMessage("two")]}, config)
    *kept, (kind, answer) = contents_of(state)
    assert kept == [("system", "Be kind."), ("human", "one"), ("ai", "first"), ("human", "two")]
    assert (kind, answer.split(" says: ")[1]) == ("ai", "two")
    assert state["messages"][-1].usage_metadata["output_tokens"] == 5
    if saver is None:
        return
    state = await graph.ainvoke({"messages": [HumanMessage("three")]}, config)
    assert [content for _, content in contents_of(state)][:5] == ["Be kind.", "one", "first", "two", answer]
    assert len(state["messages"]) == 7
    assert state["messages"][-1].content.endswith("says: three")


def test_a_cascade_added_to_a_parent_works_without_await(whole, saver):
    graph = parent(Plain, whole, checkpointer=saver)
    state = graph.invoke({"messages": [("user", "one")]}, {"configurable": {"thread_id": "t"}})
    assert [kind for kind, _ in contents_of(state)] == ["human", "ai"]
    ((message, _),) = graph.stream(
        {"messages": [("user", "two")]}, {"configurable": {"thread_id": "u"}},
        stream_mode="messages", subgraphs=False,
    )  # fmt: skip
    assert message.content.endswith("says: two")


async def test_a_cascade_with_a_thread_of_its_own_inside_a_parent_keeps_the_conversation_once(chat_models):
    own = build_cascade(chat_models).compile(name="x25", checkpointer=True)
    graph = parent(Plain, own, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    for n in range(3):
        state = await graph.ainvoke({"messages": [HumanMessage(f"n{n}")]}, config)
    assert len(state["messages"]) == 6
    inner = (await graph.aget_state(config, subgraphs=True)).values["messages"]
    assert len(inner) == 6


@pytest.mark.parametrize("durability", ["exit", "sync"])
async def test_a_parent_is_interrupted_and_resumed_inside_the_cascade(chat_models, durability):
    inner = build_cascade(chat_models).compile(name="x25", interrupt_before=["dispatch"])
    graph = parent(Plain, inner, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    await graph.ainvoke({"messages": [HumanMessage("hi")]}, config, durability=durability)
    inside = (await graph.aget_state(config, subgraphs=True)).tasks[0].state
    assert inside.next == ("dispatch",)
    while (await graph.aget_state(config)).next:  # a climb is interrupted as well
        state = await graph.ainvoke(None, config, durability=durability)
    assert [kind for kind, _ in contents_of(state)] == ["human", "ai"]


async def test_a_parents_state_may_say_more_of_the_request(chat_models):
    class Telling(Plain, total=False):
        policy: dict[str, Any]
        model_used: str

    graph = parent(Telling, build_cascade(chat_models).compile())
    state = await graph.ainvoke({"messages": [HumanMessage("hi")], "policy": {"max_tier": "slm"}})
    assert state["model_used"] == "langchain/echo-slm"


async def test_a_context_of_the_parents_own_kind_does_no_harm(chat_models):
    @dataclass
    class Persona:
        name: str = "ann"

    builder = StateGraph(Plain, context_schema=Persona)
    builder.add_node("x25", build_cascade(chat_models).compile()).add_edge(START, "x25")
    state = await builder.compile().ainvoke({"messages": [HumanMessage("hi")]}, context=Persona("bob"))
    assert state["messages"][-1].content.endswith("says: hi")
