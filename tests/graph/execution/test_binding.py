import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, StateGraph

from x25.graph.execution.binding import BoundClosing, BoundEdge, BoundLast, BoundNode, BoundOpening
from x25.graph.execution.sources import Opened as AlreadyOpen
from x25.graph.memory.channels import ThreadState
from x25.nodes.escalate import escalate
from x25.nodes.services import Services
from x25.state.errors import AttemptTaken, TextNotKept
from x25.state.meter import Meter
from x25.state.types import Context, Reply, Request
from x25.state.working_memory import Change, Opened, Opening, Task

TASK = Task("qa", "qa", 0.9, "classifier", "qa", 12)
OPENING = {
    "started_at": "2026-11-20T12:00:00Z", "started_monotonic_s": 1.0, "max_escalations": 2, "explain": True,
    "hint": "qa",
}  # fmt: skip
STATE = {
    "org": "acme", "call_id": "c", "messages": [HumanMessage("hi", id="1")], "options": {}, "optimize_for": {},
    "policy": {}, "router": "auto", "opening": OPENING, "answers": [], "timings": [], "running": True,
    "thread": {"org": "acme", "call_id": "c", "follows": None, "unanswered": ["1"]},
}  # fmt: skip


class Metered(str):
    """Services that nobody looks into but the meter."""

    __slots__ = ()

    @property
    def meter(self):
        return Meter()


async def classify(call: Opened, services: Services) -> Change:
    """Name the work."""
    (message,) = call.messages
    return Change(task=replace(TASK, type=f"{services}:{call.opening.hint}:{message['content']}"))


async def lookup_cache(request: Request, services: Services, context: Context) -> Change:
    """Open."""
    opening = Opening(datetime(2026, 11, 20, tzinfo=UTC), 1.0, context.max_escalations, explain=True)
    return Change(org="acme", call_id="c", opening=opening, call_count=len(request["messages"]))


def test_a_bound_node_keeps_its_name_and_is_timed_whether_it_is_awaited_or_not():
    bound = BoundNode(classify, AlreadyOpen(Metered("services")))
    assert (bound.get_name(), bound.__doc__) == ("classify", "Name the work.")
    for update in (asyncio.run(bound.ainvoke(STATE)), bound.invoke(STATE)):
        (timing,) = update.pop("timings")
        assert update == {"task": {**asdict(TASK), "type": "services:qa:hi"}}
        assert timing["node"] == "classify"
        assert timing["ms"] >= 0


async def test_the_first_node_opens_a_turn_on_its_thread():
    bound = BoundOpening(lookup_cache, AlreadyOpen(Metered("services")))
    update = await bound.ainvoke({"given": {}, "turn": [HumanMessage("hi", id="1")]})
    assert [message.content for message in update["messages"]] == ["hi"]
    thread = update["thread"]
    assert thread["settings"].keys() == {
        "router", "policy", "options", "optimize_for", "conversation_id", "memory",
    }  # fmt: skip
    assert thread | {"settings": {}} == {
        "org": "acme", "call_id": "c", "follows": None, "unanswered": ["1"], "settings": {},
    }  # fmt: skip
    assert (update["given"], update["turn"], update["running"]) == (None, None, True)
    assert update["call_count"] == 1


@pytest.mark.parametrize(
    ("context", "expected"), [(Context(max_escalations=4), 4), (None, 2), ({"max_escalations": 1}, 1)]
)
async def test_the_first_node_reads_the_runs_context_and_has_a_default(context, expected):
    builder = StateGraph(ThreadState, context_schema=Context)
    builder.add_node("lookup_cache", BoundOpening(lookup_cache, AlreadyOpen(Metered("services"))))
    graph = builder.add_edge(START, "lookup_cache").add_edge("lookup_cache", END).compile()
    output = await graph.ainvoke({"given": {}, "turn": [HumanMessage("hi")]}, context=context)
    assert output["opening"]["max_escalations"] == expected


async def test_a_run_that_goes_on_from_a_checkpoint_without_words_is_refused_where_none_are_kept():
    bound = BoundNode(classify, AlreadyOpen(Metered("services")), keeps_text=False)
    with pytest.raises(TextNotKept):
        await bound.ainvoke({**STATE, "running": False})
    assert (await bound.ainvoke(STATE))["task"]["type"] == "services:qa:hi"


async def test_a_node_whose_attempt_another_run_made_goes_on_as_a_branch(cascade):
    seen = []

    async def dispatch(call: Opened, services: Services) -> Change:
        seen.append((call.call_id, call.opening.forked_from))
        if len(seen) == 1:
            raise AttemptTaken("begun before")
        return Change(call_count=1)

    update = await BoundNode(dispatch, AlreadyOpen(cascade.services)).ainvoke(STATE)
    first, second = seen
    assert first == ("c", None)
    assert second == (update["call_id"], "c")
    assert update["thread"]["call_id"] == update["call_id"] != "c"


async def test_the_answer_joins_the_conversation_and_the_turn_is_answered():
    async def audit(call: Opened, services: Services) -> Change:
        return Change(
            reply=Reply(
                text="hello", message={"role": "assistant", "content": "hello"}, call_id="c", model_used="v/m",
                provider="v", finish_reason="stop", usage={}, explain={"removed": {}},
            )
        )  # fmt: skip

    update = await BoundClosing(audit, AlreadyOpen(Metered("services"))).ainvoke(STATE)
    (answer,) = update["messages"]
    assert isinstance(answer, AIMessage)
    assert (answer.content, answer.id) == ("hello", "c")
    assert (update["thread"]["unanswered"], update["thread"]["settings"]) == ([], {})
    assert update["explain"] == {"removed": {}}
    follows = {**STATE, "thread": {**STATE["thread"], "follows": "b"}}
    private = await BoundClosing(audit, AlreadyOpen(Metered("services")), keeps_text=False).ainvoke(follows)
    assert "keep_text=True" in private["explain"]["conversation"]


async def test_a_call_without_an_answer_adds_none():
    async def audit(call: Opened, services: Services) -> Change:
        return Change(call_count=3)

    update = await BoundClosing(audit, AlreadyOpen(Metered("services"))).ainvoke(STATE)
    assert update.keys() == {"call_count", "timings"}


@pytest.mark.parametrize("told", [{"removed": {}, "path": [], "conversation": "not kept"}, {}, None])
async def test_the_last_node_completes_the_path_of_a_reply_that_explains(told):
    before = {"node": "audit", "ms": 2.0}
    state = {**STATE, "timings": [before], **({} if told is None else {"explain": told})}
    update = await BoundLast(classify, AlreadyOpen(Metered("services"))).ainvoke(state)
    (own,) = update["timings"]
    assert update.get("explain") == ({**told, "path": [before, own]} if told else None)
    assert state["timings"] == [before]


def test_an_edge_is_asked_whether_it_is_awaited_or_not():
    edge = BoundEdge(escalate)
    for kind, destination in (("escalate", "dispatch"), ("stop", "update_posterior")):
        state = {"transitions": [{"kind": kind}]}
        assert edge.invoke(state) == asyncio.run(edge.ainvoke(state)) == destination
    assert edge.get_name() == "escalate"
