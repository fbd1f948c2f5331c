"""Turn nodes into LangGraph's: awaited or not, timed, given the nouns they ask for and the services they need."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, Literal, cast

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.runtime import Runtime, get_runtime
from langgraph.types import Overwrite

from ...nodes.services import Services
from ...providers.deltas import READER
from ...state.errors import AttemptTaken
from ...state.types import CascadeState, Context, Reply, Request
from ...state.working_memory import Change
from ..memory.branches import branch_off, go_on
from ..memory.channels import ThreadState
from ..memory.messages import answer_of
from ..memory.nouns import from_json, stage_of, to_json
from ..memory.privacy import HOW_TO_KEEP
from ..memory.store_memories import StoreMemories
from ..memory.turns import open_turn
from .loops import finish
from .sources import ServicesSource
from .streams import StreamReader, answer_chunks

State = Mapping[str, Any]
Update = dict[str, Any]
Node = Callable[[Any, Services], Awaitable[Change]]
OpeningNode = Callable[[Request, Services, Context], Awaitable[Change]]
Edge = (
    Callable[[CascadeState], Awaitable[Literal["dispatch", "update_posterior"]]]
    | Callable[[CascadeState], Awaitable[Literal["serve_hit", "classify"]]]
)

NOBODY = Runtime().stream_writer
"""Where a node writes to in a run that nobody streams."""


class Bound(Runnable[ThreadState, Update]):
    """What stands between LangGraph and one node: it can be awaited, and called where nothing is awaited.

    LangGraph would run a plain asynchronous function in the first way alone.
    """

    def __init__(self, node: Callable[..., Any], source: ServicesSource, *, keeps_text: bool) -> None:
        self.name = node.__name__
        self.__doc__ = node.__doc__
        self._labels = (node.__name__,)
        self._source = source
        self._keeps_text = keeps_text

    async def ainvoke(self, input: ThreadState, config: RunnableConfig | None = None, **_: Any) -> Update:  # noqa: A002, ARG002 - LangChain's signature
        """Return the channels that change."""
        return await self._source.run(lambda services: self._timed(input, services))

    def invoke(self, input: ThreadState, config: RunnableConfig | None = None, **_: Any) -> Update:  # noqa: A002, ARG002 - LangChain's signature
        """Return the channels that change, to a caller who does not await."""
        return self._source.wait(lambda services: self._timed(input, services))

    async def _timed(self, state: State, services: Services) -> Update:
        began_s = perf_counter()
        update = await self._step(state, services)
        took_s = perf_counter() - began_s
        services.meter.observe("x25_node_seconds", self._labels, took_s)
        update["timings"] = [{"node": self.name, "ms": round(took_s * 1e3, 3)}]
        return update

    async def _step(self, state: State, services: Services) -> Update:
        raise NotImplementedError


class BoundOpening(Bound):
    """The first node: it opens a turn on its thread, and reads the run's context."""

    def __init__(self, node: OpeningNode, source: ServicesSource, *, keeps_text: bool = True) -> None:
        super().__init__(node, source, keeps_text=keeps_text)
        self._node = node

    async def _step(self, state: State, services: Services) -> Update:
        turn = open_turn(state, keeps_text=self._keeps_text)
        change = await self._node(turn.request, _with_store(services), _context())
        return to_json(change) | turn.opened(change)


class BoundNode(Bound):
    """Any other node: it is given the nouns it asks for, and gives back their JSON."""

    def __init__(self, node: Node, source: ServicesSource, *, keeps_text: bool = True) -> None:
        super().__init__(node, source, keeps_text=keeps_text)
        self._node, self._stage = node, stage_of(node)

    async def _step(self, state: State, services: Services) -> Update:
        change: Update = {}
        if not state.get("running"):
            change = await go_on(self.name or "", state, services, keeps_text=self._keeps_text)
        try:
            update = await self._run({**state, **change}, services)
        except AttemptTaken:
            change |= await branch_off({**state, **change}, services)
            update = await self._run({**state, **change}, services)
        return change | update

    async def _run(self, state: State, services: Services) -> Update:
        if isinstance(state["messages"], Overwrite):
            state = {**state, "messages": state["messages"].value}
        return to_json(await self._node(from_json(self._stage, state), services))


class BoundAsking(BoundNode):
    """The node that buys answers: whoever follows the `custom` stream of the run reads them while they are written."""

    async def _run(self, state: State, services: Services) -> Update:
        tell = _runtime().stream_writer
        if not _is_heard(tell) or READER.get() is not None:
            return await super()._run(state, services)
        token = READER.set(StreamReader(tell))
        try:
            return await super()._run(state, services)
        finally:
            READER.reset(token)


class BoundClosing(BoundNode):
    """The node that brings the reply: the answer joins the conversation, and goes to the `custom` stream."""

    async def _run(self, state: State, services: Services) -> Update:
        update = await super()._run(state, _with_store(services))
        if "text" not in update:  # a call that bought no answer
            return update
        reply = cast("Reply", update)
        was_read = any(one["pieces_sent"] for one in state["answers"])
        if (tell := _runtime().stream_writer) is not NOBODY and not was_read:
            for chunk in answer_chunks(reply):
                tell(chunk)
        thread = {**state["thread"], "unanswered": [], "settings": {}}
        update |= {"messages": [answer_of(reply)], "thread": thread}
        if not self._keeps_text and thread["follows"] is not None and reply["explain"]:
            earlier = f"earlier turns of this thread are not kept, so none was sent: {HOW_TO_KEEP}"
            update["explain"] = {**reply["explain"], "conversation": earlier}
        return update


class BoundLast(BoundNode):
    """The node after which a run ends: with it the path that the reply tells is whole."""

    async def _timed(self, state: State, services: Services) -> Update:
        update = await super()._timed(state, services)
        if explain := update.get("explain") or state.get("explain"):
            update["explain"] = {**explain, "path": [*state["timings"], *update["timings"]]}
        return update


class BoundHit(BoundLast, BoundClosing):
    """The node that brings a reply nobody had to buy, and ends the run."""


class BoundEdge(Runnable[CascadeState, str]):
    """A conditional edge: a function of the state that waits for nothing."""

    def __init__(self, edge: Edge) -> None:
        self.name = edge.__name__
        self.__doc__ = edge.__doc__
        self._edge = edge

    async def ainvoke(self, input: CascadeState, config: RunnableConfig | None = None, **_: Any) -> str:  # noqa: A002, ARG002 - LangChain's signature
        """Return the destination."""
        return await self._edge(input)

    def invoke(self, input: CascadeState, config: RunnableConfig | None = None, **_: Any) -> str:  # noqa: A002, ARG002 - LangChain's signature
        """Return the destination, to a caller who does not await."""
        return finish(self._edge(input))


def _is_heard(tell: Callable[[Any], None]) -> bool:
    """Return whether somebody follows the `custom` stream: LangGraph's writer to nobody is a function of nothing."""
    return tell is not NOBODY and getattr(tell, "__closure__", True) is not None


def _runtime() -> Runtime[Any]:
    """Return LangGraph's view of the run; an empty one outside of any."""
    try:
        return get_runtime()
    except RuntimeError:
        return Runtime()


def _with_store(services: Services) -> Services:
    """Return services that remember in the store the graph, or its parent, was compiled with, where there is one."""
    store = _runtime().store
    if store is None:
        return services
    return replace(services, memories=StoreMemories(store, services.encoder))


def _context() -> Context:
    """Return the run's context; the defaults where there is none, or a parent graph's is of another kind."""
    context = _runtime().context
    return context if isinstance(context, Context) else Context()
