"""Conversations on a thread, as LangGraph's users hold them, and what a graph does that keeps no words."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver

from x25.graph.build import build_cascade
from x25.state.errors import CallFailed, InvalidRequest, NoEligibleModel, TextNotKept


class Scribe(BaseChatModel):
    """Answers with a number and writes down what it was asked and how."""

    heard: list[list[BaseMessage]]
    options: list[dict[str, Any]]
    fails: list[bool]

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        if self.fails:
            raise RuntimeError("out of order")
        self.heard.append(messages)
        self.options.append(options)
        counted = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        answer = AIMessage(
            f"answer {len(self.heard)}", usage_metadata=counted, response_metadata={"finish_reason": "stop"}
        )
        return ChatResult(generations=[ChatGeneration(message=answer)])

    @property
    def _llm_type(self) -> str:
        return "scribe"


@pytest.fixture(scope="module")
def scribe() -> Scribe:
    return Scribe(heard=[], options=[], fails=[])


@pytest.fixture(scope="module")
def builders(scribe: Scribe) -> dict[bool, Any]:
    """Both kinds of graph, by whether they keep text."""
    return {kept: build_cascade({"mid": scribe}, keep_text=kept) for kept in (True, False)}


@pytest.fixture
def graph(builders: dict[bool, Any], scribe: Scribe) -> Any:
    scribe.heard.clear(), scribe.options.clear(), scribe.fails.clear()
    return builders[True].compile(checkpointer=InMemorySaver())


@pytest.fixture
def private(builders: dict[bool, Any], scribe: Scribe) -> Any:
    scribe.heard.clear(), scribe.options.clear(), scribe.fails.clear()
    return builders[False].compile(checkpointer=InMemorySaver())


@pytest.fixture
def config() -> dict[str, Any]:
    return {"configurable": {"thread_id": uuid4().hex}}


@pytest.fixture
def heard(scribe: Scribe) -> Callable[[], list[str]]:
    """Return a function that says what the model was sent last."""
    return lambda: [message.content for message in scribe.heard[-1]]


async def test_a_second_run_is_a_new_call_that_knows_the_conversation(graph, config, heard):
    first = await graph.ainvoke({"prompt": "one"}, config)
    second = await graph.ainvoke({"prompt": "two"}, config)
    assert (first["text"], second["text"]) == ("answer 1", "answer 2")
    assert first["call_id"] != second["call_id"]
    assert heard() == ["one", "answer 1", "two"]
    assert [message.content for message in second["messages"]] == ["one", "answer 1", "two", "answer 2"]
    assert (first["stage"]["total_calls"], second["stage"]["total_calls"] - first["stage"]["total_calls"])[
        1
    ] == 1


async def test_the_working_memory_of_the_first_call_is_gone_in_the_second(graph, config):
    first = await graph.ainvoke({"prompt": "one", "hint": "code"}, config)
    paused = graph.builder.compile(checkpointer=graph.checkpointer, interrupt_after=["lookup_cache"])
    output = await paused.ainvoke({"prompt": "two"}, config)
    assert first["task_type"] == "code"
    assert {output[name] for name in ("text", "model_used", "audit_hash", "explain")} == {None}
    values = (await paused.aget_state(config)).values
    assert [timing["node"] for timing in values["timings"]] == ["lookup_cache"]
    assert values["answers"] == values["transitions"] == values["learned"] == []
    assert {values[name] for name in ("task", "inputs", "estimate", "selection", "call_count")} == {None}
    assert values["opening"]["hint"] is None
    second = await paused.ainvoke(None, config)
    assert [step["node"] for step in second["explain"]["path"]].count("classify") == 1
    assert len(second["explain"]["attempts"]) == 1


async def test_a_prompt_a_hint_and_a_call_id_belong_to_one_run(graph, config):
    first = await graph.ainvoke({"prompt": "one", "hint": "code", "call_id": uuid4().hex}, config)
    values = (await graph.aget_state(config)).values
    assert (values["prompt"], values["hint"], values["given"], values["turn"]) == (None, None, None, None)
    second = await graph.ainvoke({"messages": [HumanMessage("two")]}, config)
    assert second["call_id"] != first["call_id"]
    assert second["explain"]["task"]["source"] == "classifier"


async def test_the_call_id_of_the_last_call_is_stale_when_it_is_given_again(graph, config):
    first = await graph.ainvoke({"prompt": "one"}, config)
    second = await graph.ainvoke({**first, "prompt": "two", "messages": None}, config)
    assert second["call_id"] != first["call_id"]
    assert second["text"] == "answer 2"


async def test_options_policy_and_router_stay_on_the_thread_until_they_are_given_anew(graph, config, scribe):
    policy = {"max_tier": "mid"}
    await graph.ainvoke(
        {"prompt": "one", "options": {"temperature": 0.5}, "policy": policy, "router": "x25-classic", "org": "acme",
         "optimize_for": {"cost": 1.0}},
        config,
    )  # fmt: skip
    await graph.ainvoke({"prompt": "two"}, config)
    values = (await graph.aget_state(config)).values
    assert scribe.options[-1]["temperature"] == 0.5
    assert (values["policy"], values["router"], values["org"]) == (policy, "x25-classic", "acme")
    assert values["optimize_for"]["cost"] == 1.0
    await graph.ainvoke({"prompt": "three", "options": {}, "policy": {}}, config)
    assert "temperature" not in scribe.options[-1]
    assert (await graph.aget_state(config)).values["policy"] == {}


async def test_a_thread_belongs_to_one_org(graph, config):
    await graph.ainvoke({"prompt": "one", "org": "acme"}, config)
    with pytest.raises(InvalidRequest, match="this thread belongs to org 'acme'") as refused:
        await graph.ainvoke({"prompt": "two", "org": "other"}, config)
    assert refused.value.field == "org"
    assert (await graph.ainvoke({"prompt": "three"}, config))["org"] == "acme"


async def test_a_prompt_beside_messages_is_refused(graph, config):
    with pytest.raises(InvalidRequest, match="not both") as refused:
        await graph.ainvoke({"prompt": "not this", "messages": [{"role": "user", "content": "this"}]}, config)
    assert refused.value.field == "prompt"


async def test_openai_messages_are_kept_as_they_were_given_and_langchains_as_its_own(graph, config, scribe):
    given = {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": "ann", "x_custom": {"a": 1}}
    await graph.ainvoke({"messages": [SystemMessage("Be kind."), given]}, config)
    messages = (await graph.aget_state(config)).values["messages"]
    assert messages[1] == given
    assert [type(message) for message in messages] == [SystemMessage, dict, AIMessage]
    assert [message.type for message in scribe.heard[-1]] == ["system", "human"]


@pytest.mark.parametrize(
    "shape",
    [
        [HumanMessage("hi")], [("user", "hi")], ["hi"], "hi", HumanMessage("hi"), ("user", "hi"),
        [{"type": "human", "content": "hi"}], [{"role": "user", "content": "hi"}], {"role": "user", "content": "hi"},
        [{"role": "human", "content": "hi"}],
    ],
)  # fmt: skip
async def test_messages_may_come_in_any_shape_langchain_takes(graph, config, heard, shape):
    await graph.ainvoke({"messages": shape}, config)
    assert heard() == ["hi"]


async def test_a_message_is_changed_by_its_id_and_removed_by_its_id(graph, config, heard):
    await graph.ainvoke({"messages": [HumanMessage("one", id="q1")]}, config)
    answer = (await graph.aget_state(config)).values["messages"][-1]
    await graph.ainvoke({"messages": [HumanMessage("uno", id="q1"), HumanMessage("two")]}, config)
    assert heard() == ["uno", "answer 1", "two"]
    await graph.ainvoke({"messages": [RemoveMessage(id=answer.id), HumanMessage("three")]}, config)
    assert heard() == ["uno", "two", "answer 2", "three"]
    with pytest.raises(InvalidRequest, match="'nowhere' to remove") as refused:
        await graph.ainvoke({"messages": [RemoveMessage(id="nowhere"), HumanMessage("four")]}, config)
    assert refused.value.field == "messages"


async def test_the_answer_is_an_ai_message_with_its_tokens_and_its_model(graph, config):
    reply = await graph.ainvoke({"prompt": "one"}, config)
    answer = reply["messages"][-1]
    assert isinstance(answer, AIMessage)
    assert answer.id == reply["call_id"]
    assert answer.usage_metadata["input_tokens"] == 10
    assert answer.usage_metadata["output_tokens"] == 5
    assert answer.usage_metadata["total_tokens"] == 15
    assert answer.response_metadata["model_name"] == reply["model_used"]
    assert answer.response_metadata["finish_reason"] == "stop"


# failed runs


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        ({"prompt": "bad", "hint": "no such kind"}, InvalidRequest),
        ({"prompt": "bad", "policy": {"max_teir": "mid"}}, InvalidRequest),
        ({"prompt": "bad", "router": "nowhere"}, InvalidRequest),
        ({"prompt": "bad", "options": {"max_tokens": 0}}, InvalidRequest),
        ({"prompt": "bad", "call_id": "../x"}, InvalidRequest),
        ({"prompt": " "}, InvalidRequest),
        ({"messages": []}, InvalidRequest),
        ({"messages": [{"role": "robot", "content": "bad"}]}, InvalidRequest),
        ({"messages": [42]}, InvalidRequest),
        ({"prompt": "bad" * 700_000}, InvalidRequest),
        ({"prompt": "bad " * 300_000}, NoEligibleModel),
    ],
)
@pytest.mark.parametrize("durability", ["exit", "sync"])
async def test_a_refused_run_leaves_the_thread_as_it_was(graph, config, heard, refused, error, durability):
    await graph.ainvoke({"prompt": "one"}, config, durability=durability)
    with pytest.raises(error):
        await graph.ainvoke(refused, config, durability=durability)
    reply = await graph.ainvoke({"prompt": "two"}, config, durability=durability)
    assert heard() == ["one", "answer 1", "two"]
    assert [getattr(one, "content", one) for one in reply["messages"]] == [
        "one",
        "answer 1",
        "two",
        "answer 2",
    ]


@pytest.mark.parametrize("keep_text", [True, False])
async def test_a_policy_nobody_can_meet_is_gone_with_its_run(builders, config, keep_text):
    """It is found out after the request was taken, and must not refuse every later run of the thread."""
    graph = builders[keep_text].compile(checkpointer=InMemorySaver())
    await graph.ainvoke({"prompt": "one", "policy": {"max_tier": "mid"}}, config)
    for _ in range(2):
        with pytest.raises(NoEligibleModel):
            await graph.ainvoke(
                {"prompt": "two", "policy": {"required_capabilities": ["vision"]}, "router": "cheap-pair"},
                config,
            )
    assert (await graph.ainvoke({"prompt": "three"}, config))["text"]
    kept = (await graph.aget_state(config)).values
    assert (kept["policy"], kept["router"]) == ({"max_tier": "mid"}, "auto")
    with pytest.raises(NoEligibleModel):
        await graph.ainvoke({"prompt": "four", "policy": {"required_capabilities": ["vision"]}}, config)
    await graph.aupdate_state(config, {"policy": {"max_tier": "frontier"}})
    await graph.ainvoke({"prompt": "five"}, config)
    assert (await graph.aget_state(config)).values["policy"] == {"max_tier": "frontier"}, "edited by hand"


async def test_a_first_run_that_is_refused_leaves_an_empty_thread(graph, config, heard):
    with pytest.raises(InvalidRequest):
        await graph.ainvoke({"prompt": "bad", "org": "acme", "hint": "no such kind"}, config)
    reply = await graph.ainvoke({"prompt": "one", "org": "other"}, config)
    assert (heard(), reply["org"]) == (["one"], "other")


async def test_a_question_that_nobody_answered_is_dropped_when_the_next_one_comes(
    graph, config, scribe, heard
):
    await graph.ainvoke({"prompt": "one"}, config)
    scribe.fails.append(True)
    for lost in ("lost", {"role": "user", "content": "lost too"}):
        with pytest.raises(CallFailed):
            await graph.ainvoke({"messages": [lost]}, config)
    scribe.fails.clear()
    reply = await graph.ainvoke({"prompt": "two"}, config)
    assert heard() == ["one", "answer 1", "two"]
    assert reply["text"] == "answer 2"


async def test_words_put_into_the_conversation_by_hand_are_kept_and_answered(graph, config, heard):
    await graph.ainvoke({"prompt": "one"}, config)
    await graph.aupdate_state(config, {"messages": [HumanMessage("a fact")]}, as_node="stage_check")
    await graph.ainvoke({"prompt": "two"}, config)
    assert heard() == ["one", "answer 1", "a fact", "two"]


async def test_a_run_with_nothing_new_to_answer_is_refused(graph, config):
    await graph.ainvoke({"prompt": "one"}, config)
    with pytest.raises(InvalidRequest, match="nothing new to answer"):
        await graph.ainvoke({"policy": {}}, config)


async def test_what_stood_without_an_answer_is_answered_by_a_run_that_adds_nothing(graph, config, heard):
    await graph.ainvoke({"prompt": "one"}, config)
    await graph.aupdate_state(config, {"messages": [HumanMessage("two")]}, as_node="stage_check")
    await graph.ainvoke({"policy": {}}, config)
    assert heard() == ["one", "answer 1", "two"]


# a graph that keeps no words


@pytest.mark.parametrize("durability", ["exit", "sync"])
async def test_a_second_run_on_a_private_thread_is_a_new_call_that_says_what_it_lacks(
    private, config, heard, durability
):
    first = await private.ainvoke(
        {"prompt": "one", "policy": {"max_tier": "mid"}}, config, durability=durability
    )
    second = await private.ainvoke({"prompt": "two"}, config, durability=durability)
    assert heard() == ["two"]
    assert (second["text"], second["call_id"] == first["call_id"]) == ("answer 2", False)
    assert "conversation" not in first["explain"]
    assert "keep_text=True" in second["explain"]["conversation"]
    assert "X25_STORE_PROMPTS=true" in second["explain"]["conversation"]
    assert (await private.aget_state(config)).values["policy"] == {"max_tier": "mid"}
    assert [message.content for message in second["messages"]] == ["two", "answer 2"]


@pytest.mark.parametrize("durability", ["exit", "sync"])
@pytest.mark.parametrize("node", ["lookup_cache", "classify", "dispatch", "judge", "audit", "stage_check"])
async def test_resuming_a_private_run_is_refused_by_a_name_that_says_what_to_set(
    builders, config, node, durability
):
    graph = builders[False].compile(checkpointer=InMemorySaver(), interrupt_before=[node])
    await graph.ainvoke({"prompt": "one"}, config, durability=durability)
    with pytest.raises(TextNotKept, match=r"keep_text=True.*X25_STORE_PROMPTS=true or X25_CHECKPOINTS=sync"):
        await graph.ainvoke(None, config, durability=durability)
    assert (
        await builders[False].compile(checkpointer=graph.checkpointer).ainvoke({"prompt": "two"}, config)
    )["text"]


async def test_no_checkpoint_of_a_private_thread_can_be_forked(private, config):
    await private.ainvoke({"prompt": "one"}, config, durability="sync")
    history = [snapshot async for snapshot in private.aget_state_history(config)]
    assert len(history) == 11
    for snapshot in history:
        if snapshot.next:
            with pytest.raises(TextNotKept):
                await private.ainvoke(None, snapshot.config)


async def test_a_private_run_that_needs_earlier_turns_is_refused_by_name(private, config):
    await private.ainvoke({"prompt": "one"}, config)
    with pytest.raises(TextNotKept, match="earlier turns of this thread are not kept"):
        await private.ainvoke({"policy": {}}, config)


async def test_a_refused_or_failed_run_leaves_a_private_thread_usable(private, config, scribe, heard):
    with pytest.raises(InvalidRequest):
        await private.ainvoke({"prompt": "bad", "hint": "no such kind"}, config)
    scribe.fails.append(True)
    with pytest.raises(CallFailed):
        await private.ainvoke({"prompt": "lost"}, config)
    scribe.fails.clear()
    assert (await private.ainvoke({"prompt": "two"}, config))["text"] == "answer 1"
    assert heard() == ["two"]


# streams


async def test_the_messages_stream_brings_the_answer_and_nothing_else(graph, config):
    for given in ({"prompt": "one"}, {"messages": [HumanMessage("two")]}, {"messages": [("user", "three")]}):
        streamed = [event async for event in graph.astream(given, config, stream_mode="messages")]
        ((message, metadata),) = streamed
        assert isinstance(message, AIMessage)
        assert message.content.startswith("answer")
        assert metadata["langgraph_node"] == "audit"


async def test_the_custom_stream_brings_the_answer_in_pieces(graph, config):
    chunks = [event async for event in graph.astream({"prompt": "one"}, config, stream_mode="custom")]
    reply = (await graph.aget_state(config)).values
    assert "".join(chunk["text"] for chunk in chunks) == reply["text"]
    assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
    assert [chunk["is_last"] for chunk in chunks][-1] is True
    assert {(chunk["type"], chunk["call_id"]) for chunk in chunks} == {("answer", reply["call_id"])}
