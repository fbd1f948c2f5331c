"""The cascade without `await`: scripts, threads, notebooks, one event loop after another, forks."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages

from x25.graph.build import build_cascade
from x25.graph.execution import loops
from x25.graph.execution.loops import BACKGROUND
from x25.graph.subgraph import as_node
from x25.state.errors import SyncCallInLoop


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return {tier: FakeListChatModel(responses=[f"from {tier}"]) for tier in ("slm", "mid", "frontier")}


@pytest.fixture(scope="module")
def graph(models: dict[str, Any]) -> Any:
    return build_cascade(models).compile()


class Asynchronous(BaseChatModel):
    """A chat model whose answer is awaited."""

    answer: Callable[[], Awaitable[str]]

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(await self.answer()))])

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    @property
    def _llm_type(self) -> str:
        return "asynchronous"


def parent(node: Any) -> Any:
    return StateGraph(MessagesState).add_node("x25", node).add_edge(START, "x25").compile()


def test_invoke_stream_and_batch_work(graph):
    reply = graph.invoke({"prompt": "hi"})
    assert reply["text"] == f"from {reply['tier']}"
    updates = list(graph.stream({"prompt": "hi"}, stream_mode="updates"))
    assert [name for update in updates for name in update][-1] == "stage_check"
    replies = graph.batch([{"prompt": f"hi {n}"} for n in range(8)])
    assert len({reply["call_id"] for reply in replies}) == 8
    streamed = list(graph.stream({"prompt": "hi"}, stream_mode=["custom", "messages"]))
    chunks = [chunk for mode, chunk in streamed if mode == "custom"]
    ((message, _),) = [said for mode, said in streamed if mode == "messages"]
    assert "".join(chunk["text"] for chunk in chunks) == message.content
    assert message.content.startswith("from")


def test_a_parent_that_holds_the_cascade_as_a_node_is_called_without_await(models):
    agent = parent(as_node(models, org="sync"))
    state = agent.invoke({"messages": [("user", "hi")]})
    assert [message.type for message in state["messages"]] == ["human", "ai"]
    ((message, _),) = agent.stream({"messages": [("user", "hi")]}, stream_mode="messages")
    assert message.type == "ai"
    assert len(agent.batch([{"messages": [("user", f"hi {n}")]} for n in range(4)])) == 4


@pytest.mark.parametrize("durability", ["exit", "sync"])
def test_a_thread_is_kept_interrupted_and_resumed_without_await(models, durability):
    with SqliteSaver.from_conn_string(":memory:") as saver:
        graph = build_cascade(models).compile(checkpointer=saver, interrupt_before=["dispatch", "audit"])
        config = {"configurable": {"thread_id": "t"}}
        graph.invoke({"prompt": "one"}, config, durability=durability)
        while graph.get_state(config).next:
            reply = graph.invoke(None, config, durability=durability)
        assert [message.type for message in reply["messages"]] == ["human", "ai"]
        assert reply["explain"]["forked_from"] is None


async def test_a_notebook_may_call_it_inside_its_running_loop(graph):
    assert graph.invoke({"prompt": "hi"})["text"].startswith("from")
    assert (await asyncio.to_thread(graph.invoke, {"prompt": "hi"}))["text"].startswith("from")
    assert (await graph.ainvoke({"prompt": "hi"}))["text"].startswith("from")


def test_scripts_loops_and_threads_share_one_store_and_leave_nothing_behind(models):
    before = set(BACKGROUND._kept)
    graph = build_cascade(models).compile()
    counts = [graph.invoke({"prompt": "hi"})["stage"]["total_calls"]]

    async def several(calls: int) -> list[int]:
        replies = await asyncio.gather(*(graph.ainvoke({"prompt": f"hi {n}"}) for n in range(calls)))
        return [reply["stage"]["total_calls"] for reply in replies]

    for _ in range(5):
        counts += asyncio.run(several(3))
    with ThreadPoolExecutor(4) as pool:
        counts += pool.map(lambda n: graph.invoke({"prompt": f"hi {n}"})["stage"]["total_calls"], range(8))
        counts += [one for some in pool.map(lambda _: asyncio.run(several(2)), range(4)) for one in some]
    assert sorted(counts) == list(range(1, 33))
    assert len(BACKGROUND._kept - before) == 1


CLOSING = """
import gc
from time import monotonic, sleep
from langchain_core.language_models import FakeListChatModel
from x25.graph.build import build_cascade
from x25.graph.execution.loops import BACKGROUND

graph = build_cascade({"slm": FakeListChatModel(responses=["hi"])}).compile()
graph.invoke({"prompt": "hi"})
assert len(BACKGROUND._kept) == 1
del graph
give_up_at_s = monotonic() + 10  # the background's thread holds the call's last frame a moment longer than its caller
while BACKGROUND._kept and monotonic() < give_up_at_s:
    gc.collect()
    sleep(0.01)
print(len(BACKGROUND._kept))
"""


@pytest.mark.slow
def test_services_are_closed_with_the_last_graph_that_uses_them():
    # In a process of its own: what other tests of this one still hold is not the graph's doing.
    done = subprocess.run(
        [sys.executable, "-c", CLOSING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr


async def test_cancelling_the_caller_cancels_what_runs_for_it(models):
    began, ended = threading.Event(), threading.Event()

    async def wait_for_ever() -> str:
        began.set()
        try:
            return str(await asyncio.Event().wait())
        finally:
            ended.set()

    graph = build_cascade({"mid": Asynchronous(answer=wait_for_ever)}).compile()
    call = asyncio.create_task(graph.ainvoke({"prompt": "hi"}))
    await asyncio.to_thread(began.wait, 20)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(ended.wait, 20)


async def test_an_agents_models_are_asked_on_the_agents_own_loop():
    asked_on = []

    async def note() -> str:
        asked_on.append(asyncio.get_running_loop())
        return "noted"

    graph = build_cascade({"mid": Asynchronous(answer=note)}).compile()
    assert (await graph.ainvoke({"prompt": "hi"}))["text"] == "noted"
    assert asked_on == [asyncio.get_running_loop()]
    assert (await asyncio.to_thread(graph.invoke, {"prompt": "hi"}))["text"] == "noted"
    assert asked_on[1] is BACKGROUND.loop


async def test_context_variables_and_callbacks_reach_an_agents_models():
    tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
    seen, started = [], []

    async def read() -> str:
        seen.append(tenant.get())
        return "read"

    class Tracer(BaseCallbackHandler):
        def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
            started.append(kwargs["parent_run_id"])

    graph = build_cascade({"mid": Asynchronous(answer=read)}).compile()
    tenant.set("acme")
    await graph.ainvoke({"prompt": "hi"}, {"callbacks": [Tracer()]})
    assert seen == ["acme"]
    assert len(started) == 1
    assert started[0] is not None


# services that somebody else opened


async def test_opened_services_are_used_from_other_threads_and_loops_on_their_own(cascade):
    graph = build_cascade(cascade.services).compile()
    first = await asyncio.to_thread(graph.invoke, {"prompt": "hi", "org": "acme"})
    second = await asyncio.to_thread(lambda: asyncio.run(graph.ainvoke({"prompt": "hi", "org": "acme"})))
    third = await graph.ainvoke({"prompt": "hi", "org": "acme"})
    assert [reply["stage"]["total_calls"] for reply in (first, second, third)] == [1, 2, 3]


async def test_a_call_that_would_wait_for_its_own_loop_is_refused_by_name(cascade):
    graph = build_cascade(cascade.services).compile()
    with pytest.raises(SyncCallInLoop, match="ainvoke"):
        graph.invoke({"prompt": "hi"})


async def test_a_call_that_would_wait_for_its_own_loop_through_a_thread_is_refused_by_name(
    cascade, monkeypatch
):
    monkeypatch.setattr(loops, "ANSWERS_WITHIN_S", 0.05)

    class Wide(TypedDict, total=False):
        messages: Annotated[list[AnyMessage], add_messages]

    builder = StateGraph(Wide)
    for name in ("one", "two"):  # two at once, so LangGraph calls both on threads of its own
        builder.add_node(name, as_node(cascade.services)).add_edge(START, name).add_edge(name, END)
    with pytest.raises(SyncCallInLoop, match="blocked"):
        builder.compile().invoke({"messages": [HumanMessage("hi")]})


# processes


def script(source: str, folder: Any, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=folder, env=os.environ | environ, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_the_end_of_the_process_closes_what_was_opened(tmp_path, simulator):
    source = """
from x25.graph.build import graph
print(graph.invoke({"prompt": "What is 2 plus 2?"})["stage"]["total_calls"])
"""
    environ = {"X25_UPSTREAM": "simulator", "X25_SIMULATOR_URL": simulator.url}
    assert [script(source, tmp_path, **environ) for _ in range(2)] == ["1", "2"]
    # SQLite takes its log away when the last connection is closed.
    assert sorted(path.name for path in (tmp_path / ".x25").iterdir()) == ["x25.db"]


@pytest.mark.slow
def test_a_forked_process_opens_its_own(tmp_path, simulator):
    source = """
import os
from x25.graph.build import graph
def count(): return graph.invoke({"prompt": "What is 2 plus 2?"})["stage"]["total_calls"]
print(count(), flush=True)
pid = os.fork()
if pid == 0:
    print(count(), flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(count(), flush=True)
"""
    environ = {"X25_UPSTREAM": "simulator", "X25_SIMULATOR_URL": simulator.url}
    assert script(source, tmp_path, **environ).split() == ["1", "2", "3"]
