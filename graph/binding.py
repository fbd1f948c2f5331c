"""Give nodes their collaborators, opened at the first call and not before."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from langgraph.runtime import Runtime

from ..nodes.services import Services
from ..state.types import CascadeState, Context, Request
from ..state.working_memory import Change
from .memory import from_json, stage_of, to_json

Node = Callable[[Any, Services], Awaitable[Change]]
OpeningNode = Callable[[Request, Services, Context], Awaitable[Change]]
RunT = TypeVar("RunT", bound=Callable[..., Any])


class BoundNode(Protocol):
    """A node as LangGraph wants it: a function of the state alone."""

    def __call__(self, state: CascadeState) -> Awaitable[dict[str, Any]]:
        """Return the keys that change."""
        ...


class BoundOpeningNode(Protocol):
    """A node that also reads the run's context."""

    def __call__(self, state: CascadeState, runtime: Runtime[Context]) -> Awaitable[dict[str, Any]]:
        """Return the keys that change."""
        ...


class ServicesSource(Protocol):
    """Anything that can hand out services inside a running event loop."""

    async def get(self) -> Services:
        """Return the services, opening them if need be."""
        ...


class Opened:
    """Services that somebody else opened and will close."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def get(self) -> Services:
        """Return them."""
        return self._services


class OpenedOnFirstCall:
    """Services opened by the first call of an event loop, once a loop, and kept as long as the loop.

    A script may call `asyncio.run` again and again; connections of a loop that has ended serve no other.
    """

    def __init__(self, opener: Callable[[], Awaitable[Services]]) -> None:
        self._opener = opener
        self._loop_to_opening: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Future[Services]] = (
            WeakKeyDictionary()
        )

    async def get(self) -> Services:
        """Return the services; concurrent first calls wait for the one opening. A failed opening is tried again."""
        loop = asyncio.get_running_loop()
        opening = self._loop_to_opening.get(loop)
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception() is not None)):
            opening = self._loop_to_opening[loop] = asyncio.ensure_future(self._opener())
        return await asyncio.shield(opening)


def bind(node: Node, source: ServicesSource) -> BoundNode:
    """Return `node` as LangGraph wants it, timed; it is given the nouns it asks for, and gives back their JSON."""
    stage = stage_of(node)

    async def run(state: CascadeState) -> dict[str, Any]:
        services = await source.get()
        began = perf_counter()
        change = await node(from_json(stage, state), services)
        return _timed(node.__name__, began, to_json(change))

    return _named(run, node)


def bind_opening(node: OpeningNode, source: ServicesSource) -> BoundOpeningNode:
    """Return the first node, which reads the request as it came, and the run's context."""

    async def run(state: CascadeState, runtime: Runtime[Context]) -> dict[str, Any]:
        services = await source.get()
        began = perf_counter()
        change = await node(state, services, runtime.context or Context())
        return _timed(node.__name__, began, to_json(change))

    return _named(run, node)


def _timed(name: str, began_s: float, update: dict[str, Any]) -> dict[str, Any]:
    update["timings"] = [{"node": name, "ms": round((perf_counter() - began_s) * 1e3, 3)}]
    return update


def _named(run: RunT, node: Callable[..., Any]) -> RunT:
    run.__name__ = node.__name__
    run.__doc__ = node.__doc__
    return run
