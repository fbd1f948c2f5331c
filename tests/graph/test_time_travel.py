"""Interrupt, resume, edit, fork and replay, as LangGraph's users do it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from x25.graph.bootstrap import open_services
from x25.graph.build import build_cascade
from x25.graph.execution.sources import OpenedOnFirstCall
from x25.graph.settings import load_settings
from x25.simulator.process import SimulatorProcess
from x25.state.errors import CallFailed, InvalidRequest
from x25.state.records import nusd_from_usd

NODES = [
    "lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch", "judge",
    "update_posterior", "audit", "stage_check",
]  # fmt: skip
CHANGING = NODES[1:6]
FOLLOWS = {node: {(after,)} for node, after in pairwise(NODES)} | {
    "judge": {("dispatch",), ("update_posterior",)}, "stage_check": {()},
}  # fmt: skip
QUESTION = "What is the capital of France?"
ASKED = {"prompt": QUESTION, "hint": "qa", "router": "x25-classic"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess) -> OpenedOnFirstCall:
    folder = tmp_path_factory.mktemp("travel")
    settings = load_settings({}, data_dir=folder, upstream="simulator", simulator_url=simulator.url, seed=25)
    return OpenedOnFirstCall(lambda: open_services(settings, {}))


@pytest.fixture(scope="module")
def builder(source: OpenedOnFirstCall) -> Any:
    return build_cascade(source)


@pytest.fixture(params=["memory", "sqlite"])
async def saver(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield InMemorySaver()
        else:
            yield await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(":memory:"))


@pytest.fixture
def org() -> str:
    return f"org-{uuid4().hex[:12]}"


@pytest.fixture
def store(source: OpenedOnFirstCall) -> Callable[..., Awaitable[Any]]:
    """Return a function that asks the store the services use: `store(lambda store: store.calls.stats("acme"))`."""

    async def ask(question: Callable[[Any], Awaitable[Any]]) -> Any:
        async def work(services: Any) -> Any:
            return await question(services.store)

        return await source.run(work)

    return ask


def thread() -> dict[str, Any]:
    return {"configurable": {"thread_id": uuid4().hex}}


async def run_to_the_end(graph: Any, config: dict[str, Any], **named: Any) -> tuple[Any, int]:
    """Resume until nothing is left to do; return the last output and how often that took."""
    output, resumed = None, 0
    while (await graph.aget_state(config)).next:
        output, resumed = await graph.ainvoke(None, config, **named), resumed + 1
    return output, resumed


@pytest.mark.parametrize("durability", ["exit", pytest.param("sync", marks=pytest.mark.slow)])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("node", NODES)
async def test_a_run_interrupted_at_a_node_is_resumed_as_the_same_call(
    builder, saver, store, bills, org, node, when, durability
):
    graph = builder.compile(checkpointer=saver, **{f"interrupt_{when}": [node]})
    config = thread()
    await graph.ainvoke({**ASKED, "org": org}, config, durability=durability)
    waiting = (await graph.aget_state(config)).next
    if when == "before":
        assert waiting == (node,)
    else:
        assert waiting in FOLLOWS[node]
    await run_to_the_end(graph, config, durability=durability)
    values = (await graph.aget_state(config)).values
    question, answer = values["messages"]
    assert (question.content, answer.content) == (QUESTION, values["text"])
    assert values["explain"]["forked_from"] is None
    assert (await store(lambda held: held.calls.stats(org))).total_calls == 1
    billed = bills(values["call_id"], org)
    assert len({bill["attempt_id"] for bill in billed}) == len(billed)
    assert nusd_from_usd(values["cost_usd"]) == sum(
        nusd_from_usd(bill["cost_usd"]) for bill in bills(values["call_id"], org, judge=False)
    )
    ran = [timing["node"] for timing in values["timings"]]
    assert [ran.count(name) for name in NODES if name not in ("dispatch", "judge")] == [1] * 7


@pytest.mark.parametrize("node", NODES[1:])
async def test_a_replay_is_a_new_call_where_something_is_bought_again_and_the_same_one_elsewhere(
    builder, saver, store, bills, org, node
):
    graph = builder.compile(checkpointer=saver)
    config = thread()
    first = await graph.ainvoke({**ASKED, "org": org}, config)
    learnt = await store(lambda held: held.posteriors.read_pooled(org))
    paid = bills(first["call_id"], org)
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    fork = next(snapshot for snapshot in history if snapshot.next == (node,))
    second = await graph.ainvoke(None, fork.config)
    stats = await store(lambda held: held.calls.stats(org))
    if node not in CHANGING:
        assert (second["call_id"], second["audit_hash"]) == (first["call_id"], first["audit_hash"])
        assert stats.total_calls == 1
        assert await store(lambda held: held.posteriors.read_pooled(org)) == learnt
        assert bills(first["call_id"], org) == paid
        return
    assert second["call_id"] != first["call_id"]
    assert second["explain"]["forked_from"] == first["call_id"]
    assert stats.total_calls == 2
    assert bills(first["call_id"], org) == paid
    own = bills(second["call_id"], org, judge=False)
    assert nusd_from_usd(second["cost_usd"]) == sum(nusd_from_usd(bill["cost_usd"]) for bill in own)
    newest = max(await store(lambda held: held.audit.tail(org, 2)), key=lambda one: one.index)
    assert (newest.record["call_id"], newest.record["forked_from"]) == (second["call_id"], first["call_id"])
    assert (await store(lambda held: held.audit.verify(org))).intact
    assert await store(lambda held: held.attempts.spent_nusd(org)) == stats.cost_nusd + stats.judge_cost_nusd


async def test_a_replay_from_the_input_opens_a_new_call(builder, saver, store, org):
    graph = builder.compile(checkpointer=saver)
    config = thread()
    first = await graph.ainvoke({**ASKED, "org": org}, config)
    for awaited in ("__start__", "lookup_cache"):
        history = [snapshot async for snapshot in graph.aget_state_history(config)]
        fork = [snapshot for snapshot in history if snapshot.next == (awaited,)][-1]
        second = await graph.ainvoke(None, fork.config)
        assert second["call_id"] != first["call_id"]
        assert [message.content for message in second["messages"]] == [QUESTION, second["text"]]
    assert (await store(lambda held: held.calls.stats(org))).total_calls == 3


async def test_a_replay_from_the_input_with_a_call_id_of_the_callers_is_not_billed_under_it_again(
    builder, saver, bills, org
):
    graph = builder.compile(checkpointer=saver)
    config, named = thread(), f"mine-{uuid4().hex[:8]}"
    first = await graph.ainvoke({**ASKED, "org": org, "call_id": named}, config)
    assert first["call_id"] == named
    paid = bills(named, org)
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    fork = next(snapshot for snapshot in history if snapshot.next == ("lookup_cache",))
    second = await graph.ainvoke(None, fork.config)
    assert second["call_id"] != named
    assert second["explain"]["forked_from"] == named
    assert bills(named, org) == paid


async def test_a_fork_keeps_the_answer_it_found_and_saves_and_teaches_nothing_with_it(
    builder, saver, store, org
):
    graph = builder.compile(checkpointer=saver)
    config = thread()
    first = await graph.ainvoke({**ASKED, "org": org}, config, context={"max_escalations": 0})
    taught = sum(
        one.successes + one.failures for one in await store(lambda held: held.posteriors.read_pooled(org))
    )
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    fork = next(snapshot for snapshot in history if snapshot.next == ("judge",))
    second = await graph.ainvoke(None, fork.config, context={"max_escalations": 0})
    assert (second["text"], second["cascade_steps"]) == (first["text"], 1)
    assert (second["cost_usd"], second["cost_saved_usd"]) == (0, -second["judge_cost_usd"])
    after = sum(
        one.successes + one.failures for one in await store(lambda held: held.posteriors.read_pooled(org))
    )
    assert after == taught > 0


@pytest.mark.parametrize("node", ["judge", "update_posterior", "audit", "stage_check"])
async def test_a_fork_tells_how_likely_the_tokens_of_the_answer_it_found_were_and_its_whole_path(
    builder, saver, org, node
):
    graph = builder.compile(checkpointer=saver)
    config, context = thread(), {"max_escalations": 0}
    asked = {**ASKED, "org": org, "options": {"logprobs": True}}
    first = await graph.ainvoke(asked, config, context=context)
    assert "".join(one["token"] for one in first["logprobs"]["content"]) == first["text"]
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    fork = next(snapshot for snapshot in history if snapshot.next == (node,))
    second = await graph.ainvoke(None, fork.config, context=context)
    assert second["logprobs"] == first["logprobs"]
    assert [step["node"] for step in second["explain"]["path"]] == NODES
    unasked = await graph.ainvoke({"prompt": QUESTION, "options": {}}, config, context=context)
    assert unasked["logprobs"] is None


async def test_a_policy_put_in_before_the_decision_is_obeyed(builder, saver, store, org):
    graph = builder.compile(checkpointer=saver, interrupt_before=["thompson_select"])
    config = thread()
    await graph.ainvoke({**ASKED, "org": org}, config)
    await graph.aupdate_state(config, {"policy": {"allowed_providers": ["sim-f", "sim-judge"]}})
    reply = await graph.ainvoke(None, config)
    assert reply["provider"] == "sim-f"
    assert reply["explain"]["forked_from"] is None
    assert (await store(lambda held: held.calls.stats(org))).total_calls == 1


@pytest.mark.parametrize("before", ["lookup_cache", "classify"])
@pytest.mark.parametrize(
    "edit",
    [
        {"prompt": "Name a river."},
        {"messages": [RemoveMessage(id="__remove_all__"), HumanMessage("Name a river.")]},
    ],
)
async def test_a_question_put_in_before_it_is_read_is_the_one_answered(builder, saver, org, before, edit):
    graph = builder.compile(checkpointer=saver, interrupt_before=[before])
    config = thread()
    await graph.ainvoke({**ASKED, "org": org}, config)
    if before == "lookup_cache" and "messages" in edit:
        edit = {"turn": [HumanMessage("Name a river.")]}
    await graph.aupdate_state(config, edit)
    reply = await graph.ainvoke(None, config)
    assert [message.content for message in reply["messages"]] == ["Name a river.", reply["text"]]
    assert "Name a river." in reply["text"]
    assert (await graph.aget_state(config)).values["prompt"] is None


@pytest.mark.parametrize("before", ["lookup_cache", "classify"])
async def test_a_hint_put_in_before_the_prompt_is_classified_is_taken(builder, saver, org, before):
    graph = builder.compile(checkpointer=saver, interrupt_before=[before])
    config = thread()
    await graph.ainvoke({"prompt": QUESTION, "org": org}, config)
    await graph.aupdate_state(config, {"hint": "creative"})
    reply = await graph.ainvoke(None, config)
    assert (reply["task_type"], reply["explain"]["task"]["source"]) == ("creative", "hint")
    reply = await graph.ainvoke({"prompt": QUESTION}, config)
    reply, _ = await run_to_the_end(graph, config)
    assert reply["explain"]["task"]["source"] == "classifier"


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"policy": {"max_teir": "mid"}}, "policy.max_teir"),
        ({"hint": "no such kind"}, "hint"),
        ({"prompt": "  "}, "prompt"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[1].role"),
        ({"org": "another"}, "org"),
        ({"call_id": "../x"}, "call_id"),
    ],
)
async def test_an_edit_that_breaks_a_rule_is_refused_by_name_and_can_be_mended(builder, org, edit, field):
    graph = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["classify"])
    config = thread()
    await graph.ainvoke({**ASKED, "org": org}, config)
    edited = await graph.aupdate_state(config, edit)
    with pytest.raises(InvalidRequest) as refused:
        await graph.ainvoke(None, edited)
    assert refused.value.field == field
    before = (await graph.aget_state(edited)).parent_config
    assert (await graph.ainvoke(None, before))["text"]


async def test_a_fork_may_be_given_its_call_id(builder, saver, store, org):
    graph = builder.compile(checkpointer=saver)
    config, named = thread(), f"fork-{uuid4().hex[:8]}"
    first = await graph.ainvoke({**ASKED, "org": org}, config)
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    fork = next(snapshot for snapshot in history if snapshot.next == ("dispatch",))
    edited = await graph.aupdate_state(fork.config, {"call_id": named})
    second = await graph.ainvoke(None, edited)
    assert (second["call_id"], second["explain"]["forked_from"]) == (named, first["call_id"])
    assert (await store(lambda held: held.calls.get(org, named))).status == "answered"


async def test_two_branches_of_an_unfinished_call_never_share_its_id(builder, saver, store, bills, org):
    graph = builder.compile(checkpointer=saver, interrupt_before=["dispatch"])
    config = thread()
    await graph.ainvoke({**ASKED, "org": org}, config, context={"max_escalations": 0})
    paused = (await graph.aget_state(config)).config
    went_on = builder.compile(checkpointer=saver)
    replies = [await went_on.ainvoke(None, paused, context={"max_escalations": 0}) for _ in range(3)]
    assert len({reply["call_id"] for reply in replies}) == 3
    assert (await store(lambda held: held.calls.stats(org))).total_calls == 3
    assert all(len(bills(reply["call_id"], org, judge=False)) == 1 for reply in replies)


async def test_a_pause_counts_neither_as_latency_nor_against_the_deadline(saver, settings, org):
    now_s = [0.0]

    async def open_with_clock() -> Any:
        services = await stack.enter_async_context(open_services(settings, {}))
        return replace(services, clock_s=lambda: now_s[0])

    async with AsyncExitStack() as stack:
        graph = build_cascade(await open_with_clock()).compile(
            checkpointer=saver, interrupt_before=["dispatch", "audit"]
        )
        config = thread()
        await graph.ainvoke({**ASKED, "org": org}, config)
        while (await graph.aget_state(config)).next:
            now_s[0] += 86_400
            reply = await graph.ainvoke(None, config)
    assert reply["text"]
    assert 0 < reply["latency_ms"] < 60_000


async def test_a_call_that_failed_fails_again_when_it_is_resumed_and_pays_nothing(
    builder, saver, fault, bills, org
):
    graph = builder.compile(checkpointer=saver)
    config = thread()
    fault("500", "sim/tiny-*", "sim/small-*", "sim/medium-*", "sim/large-*", "sim/xlarge-*")
    with pytest.raises(CallFailed) as failed:
        await graph.ainvoke({**ASKED, "org": org}, config)
    paid = bills(failed.value.call_id, org)
    with pytest.raises(CallFailed):
        await graph.ainvoke(None, config)
    assert bills(failed.value.call_id, org) == paid
