"""Turn nodes into LangGraph's: awaited or not, timed, given the nouns they ask for and the services they need."""

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, Literal, cast

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.runtime import Runtime, get_runtime
from langgraph.types import Overwrite

from ...nodes.services import Services
from ...state.errors import AttemptTaken
from ...state.types import CascadeState, Context, Reply, Request
from ...state.working_memory import Change
from ..memory.branches import branch_off, go_on
from ..memory.channels import ThreadState
from ..memory.messages import answer_of
from ..memory.nouns import from_json, stage_of, to_json
from ..memory.privacy import HOW_TO_KEEP
from ..memory.turns import open_turn
from .loops import finish
from .sources import ServicesSource
from .streams import answer_chunks

State = Mapping[str, Any]
Update = dict[str, Any]
Node = Callable[[Any, Services], Awaitable[Change]]
OpeningNode = Callable[[Request, Services, Context], Awaitable[Change]]
Destination = Literal["dispatch", "update_posterior"]
Edge = Callable[[CascadeState], Awaitable[Destination]]


class Bound(Runnable[ThreadState, Update]):
    """What stands between LangGraph and one node: it can be awaited, and called where nothing is awaited.

    LangGraph would run a plain asynchronous function in the first way alone.
    """

    def __init__(self, node: Callable[..., Any], source: ServicesSource, *, keeps_text: bool) -> None:
        self.name = node.__name__
        self.__doc__ = node.__doc__
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
        update["timings"] = [{"node": self.name, "ms": round((perf_counter() - began_s) * 1e3, 3)}]
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
        change = await self._node(turn.request, services, _context())
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
            change |= branch_off({**state, **change}, services)
            update = await self._run({**state, **change}, services)
        return change | update

    async def _run(self, state: State, services: Services) -> Update:
        if isinstance(state["messages"], Overwrite):
            state = {**state, "messages": state["messages"].value}
        return to_json(await self._node(from_json(self._stage, state), services))


class BoundClosing(BoundNode):
    """The node that brings the reply: the answer joins the conversation, and goes to the `custom` stream."""

    async def _run(self, state: State, services: Services) -> Update:
        update = await super()._run(state, services)
        if "text" not in update:  # a call that bought no answer
            return update
        reply = cast("Reply", update)
        for chunk in answer_chunks(reply):
            _runtime().stream_writer(chunk)
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
        if state.get("explain"):
            update["explain"] = {**state["explain"], "path": [*state["timings"], *update["timings"]]}
        return update


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


def _runtime() -> Runtime[Any]:
    """Return LangGraph's view of the run; an empty one outside of any."""
    try:
        return get_runtime()
    except RuntimeError:
        return Runtime()


def _context() -> Context:
    """Return the run's context; the defaults where there is none, or a parent graph's is of another kind."""
    context = _runtime().context
    return context if isinstance(context, Context) else Context()
