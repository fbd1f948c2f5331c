"""Which executor a call runs on."""

from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs
from langsmith.run_helpers import tracing_context

from x25.graph.execution.choice import is_watched
from x25.state.errors import ConfigError


async def test_a_call_that_somebody_watches_is_langgraphs(open_gateway):
    class Watching(AsyncCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[str] = []

        async def on_chain_start(self, *_: Any, name: str = "", **__: Any) -> None:
            self.seen.append(name)

    cascade, watching = await open_gateway(), Watching()

    async def outer(_: Any) -> Any:
        return await cascade.route({"prompt": "hi"})

    await RunnableLambda(outer).ainvoke({}, {"callbacks": [watching]})
    assert {"x25", "lookup_cache", "dispatch", "stage_check"} <= set(watching.seen)
    assert not is_watched()
    with collect_runs() as runs:
        assert is_watched()
        await cascade.route({"prompt": "hi"})
    assert [run.name for run in runs.traced_runs] == ["x25"]


def test_tracing_by_langsmith_is_somebody_who_watches(monkeypatch):
    monkeypatch.setenv("LANGSMITH_API_KEY", "none")
    with tracing_context(enabled=True):
        assert is_watched()
    assert not is_watched()


@pytest.mark.parametrize(
    ("executor", "checkpoints", "walks"),
    [("auto", "exit", True), ("auto", "off", True), ("auto", "sync", False), ("langgraph", "exit", False)],
)
async def test_the_executor_is_the_one_that_the_settings_name(open_gateway, executor, checkpoints, walks):
    cascade = await open_gateway(executor=executor, checkpoints=checkpoints)
    assert (cascade._walk is not None) == walks


async def test_a_direct_walk_that_cannot_be_is_refused_by_name(open_gateway):
    with pytest.raises(ConfigError, match=r"X25_EXECUTOR=direct.*X25_CHECKPOINTS=sync"):
        await open_gateway(executor="direct", checkpoints="sync")
