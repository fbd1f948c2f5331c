"""The direct walk: the compiled cascade, node after node, for calls that nobody watches step by step.

LangGraph's executor prepares tasks, merges callbacks and metadata, and starts an asyncio task for every node, which
costs more than the nodes do. The walk reads nodes, edges, branches and channels from the compiled graph and does what
that executor does for a new thread whose steps have one node each: `graph/build.py` stays the one picture of the
cascade, and what is left at the end is the checkpoint that LangGraph would have written.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnablePassthrough
from langchain_core.runnables.config import var_child_runnable_config
from langgraph._internal._constants import CONFIG_KEY_READ, CONFIG_KEY_RUNTIME, CONFIG_KEY_SEND, ERROR, TASKS
from langgraph._internal._runnable import RunnableCallable
from langgraph.errors import NodeCancelledError
from langgraph.graph._branch import BranchSpec
from langgraph.pregel._read import PregelNode
from langgraph.pregel._write import (
    PASSTHROUGH,
    SKIP_WRITE,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
)
from langgraph.runtime import Runtime

from ...state.types import CascadeState
from ..memory.leftovers import Leftover
from .binding import BoundEdge
from .walk_run import Run, SeenAfter, Writes
from .walkable import CompiledGraph, Unwalkable, WalkableGraph


class DirectWalk:
    """An interpreter of one compiled graph, for new threads with `durability="exit"`.

    Raises
    ------
    Unwalkable
        When the graph has something that only LangGraph's executor knows.
    """

    def __init__(self, compiled: CompiledGraph, recursion_limit: int) -> None:
        self._graph = WalkableGraph(compiled)
        self._nodes = {name: _Node(node) for name, node in self._graph.nodes.items()}
        self._recursion_limit = recursion_limit

    async def run(
        self, given: Any, config: RunnableConfig, context: Any, keep: Callable[[Leftover], object]
    ) -> dict[str, Any]:
        """Return what `ainvoke` would, and hand what it would have stored to `keep`, whichever way the run ends.

        Raises
        ------
        GraphRecursionError
            When it takes more steps than it may.
        Exception
            What a node raises.
        """
        run = Run(self._graph, config, self._recursion_limit)

        def leave(failed: Writes | None = None) -> None:
            if self._graph.has_saver:
                keep(run.leftover(failed))

        run.begin(given)
        token = var_child_runnable_config.set(_with_runtime(config, context))
        try:
            while (name := run.next_node()) is not None:
                writes: Writes = []
                try:
                    await self._nodes[name].take(run, config, writes)
                except asyncio.CancelledError as error:
                    if _is_cancelled_from_outside():
                        leave()
                        raise
                    raised = NodeCancelledError(name)
                    leave([*writes, (ERROR, raised)])
                    raise raised from error
                except BaseException as error:
                    leave([*writes, (ERROR, error)])
                    raise
                run.end_step(name, writes)
        finally:
            var_child_runnable_config.reset(token)
        leave()
        return {name: run.values[name] for name in self._graph.outputs if name in run.values}


def leave_nothing(_: Leftover) -> None:
    """Keep nothing of a call: what its org or its request wants."""


class _Node:
    """One node of the graph: what it reads, runs and writes."""

    def __init__(self, node: PregelNode) -> None:
        self._reads = node.channels
        self._mapper = node.mapper
        self._bound = None if isinstance(node.bound, RunnablePassthrough) else node.bound
        self._function = _function_of(node.bound)
        self._writers = [_short_way(writer) for writer in node.flat_writers]

    async def take(self, run: Run, config: RunnableConfig, writes: Writes) -> None:
        """Run the node, and add what it writes to `writes`."""
        given = run.read(self._reads)
        if self._mapper is not None:
            given = self._mapper(given)
        if self._function is not None:
            brought = self._function(given)
        else:
            brought = given if self._bound is None else await self._bound.ainvoke(given, config)
        for writer in self._writers:
            if isinstance(writer, _PlainWriter):
                writer.write(brought, writes)
                continue
            inside: RunnableConfig = {
                "configurable": {
                    CONFIG_KEY_SEND: writes.extend,
                    CONFIG_KEY_READ: partial(run.read_after, writes),
                }
            }
            if isinstance(writer, _Edge):
                writer.finish(brought, await writer.goes(SeenAfter(run, writes)), inside)
            else:
                await writer(brought, inside)


def _function_of(bound: Runnable[Any, Any]) -> Callable[[Any], Any] | None:
    """Return the function of LangGraph's own start node: nobody watches, so no callback has to be looked for."""
    if not isinstance(bound, RunnableCallable) or bound.afunc is not None or bound.func is None:
        return None
    asks_for_more = bound.func_accepts or bound.kwargs or bound.explode_args
    return None if asks_for_more else bound.func


@dataclass(frozen=True, slots=True)
class _Edge:
    """A conditional edge of ours: it reads a channel or two, so it is spared a copy of all of them."""

    path: BoundEdge
    branch: BranchSpec
    writer: Any

    async def goes(self, seen: Mapping[str, Any]) -> str:
        """Return the destination."""
        return await self.path.ainvoke(cast("CascadeState", seen))

    def finish(self, brought: Any, destination: str, inside: RunnableConfig) -> None:
        """Write where the run goes on."""
        self.branch._finish(self.writer, brought, destination, inside)  # noqa: SLF001


def _edge_of(writer: Runnable[Any, Any]) -> _Edge | None:
    """Return the conditional edge that a writer stands for; None where it is none of ours."""
    branch = getattr(getattr(writer, "afunc", None), "__self__", None)
    if not isinstance(branch, BranchSpec) or not isinstance(branch.path, BoundEdge):
        return None
    assert isinstance(writer, RunnableCallable)
    return _Edge(branch.path, branch, writer.kwargs["writer"])


class _PlainWriter:
    """What LangGraph's `ChannelWrite` does, with its entries read once: each is what a node brought, or a constant.

    Raises
    ------
    Unwalkable
        When an entry is of a kind that is not known here.
    """

    def __init__(self, writer: ChannelWrite) -> None:
        self._entries = [_entry(entry) for entry in writer.writes]

    def write(self, brought: Any, writes: Writes) -> None:
        """Add to `writes` what goes into which channel."""
        for channel, mapper, value, skips_none in self._entries:
            given = brought if value is PASSTHROUGH else value
            if channel is None:
                if several := mapper(given):
                    writes.extend(several)
                continue
            if mapper is not None:
                given = mapper(given)
            if given is not SKIP_WRITE and not (skips_none and given is None):
                writes.append((channel, given))


def _entry(entry: Any) -> tuple[str | None, Any, Any, bool]:
    """Return channel (None where the mapper names several), mapper, value, and whether a None is skipped."""
    if isinstance(entry, ChannelWriteTupleEntry):
        return None, entry.mapper, entry.value, False
    if isinstance(entry, ChannelWriteEntry) and entry.channel != TASKS:
        return entry.channel, entry.mapper, entry.value, entry.skip_none
    raise Unwalkable(f"a node writes a {type(entry).__name__}")


def _short_way(
    writer: Runnable[Any, Any],
) -> "_PlainWriter | _Edge | Callable[[Any, RunnableConfig], Any]":
    """Return what a writer does, less the contexts and callbacks of a runnable."""
    if isinstance(writer, ChannelWrite):
        return _PlainWriter(writer)
    if (edge := _edge_of(writer)) is not None:
        return edge
    if isinstance(writer, RunnableCallable) and writer.afunc is not None and not writer.trace:
        return partial(writer.afunc, **writer.kwargs)  # a branch
    return writer.ainvoke


def _is_cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _with_runtime(config: RunnableConfig, context: Any) -> RunnableConfig:
    runtime: Runtime[Any] = Runtime(context=context)
    return {**config, "configurable": {**config["configurable"], CONFIG_KEY_RUNTIME: runtime}}
