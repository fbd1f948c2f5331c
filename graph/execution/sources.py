"""Where nodes get their services, and on which event loop they use them."""

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol, TypeVar

from ...nodes.services import Services
from .loops import BACKGROUND, run_on, running_loop, wait_on

T = TypeVar("T")
Work = Callable[[Services], Coroutine[Any, Any, T]]


class ServicesSource(Protocol):
    """Anything that does a piece of work with services, on the event loop that they were opened on."""

    async def run(self, work: Work[T]) -> T:
        """Return `await work(services)`, opening the services if need be."""
        ...

    def wait(self, work: Work[T]) -> T:
        """Return the same to a caller who does not await.

        Raises
        ------
        SyncCallInLoop
            When that caller holds up the loop the work is for.
        """
        ...


class Opened:
    """Services that somebody else opened and will close: they stay on the event loop that they are first seen on."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._home = running_loop()

    async def run(self, work: Work[T]) -> T:
        """Return `await work(services)`, on the services' own loop."""
        here = asyncio.get_running_loop()
        if self._home is None or not self._home.is_running():
            self._home = here
        if self._home is here:
            return await work(self._services)
        return await run_on(self._home, lambda: work(self._services))

    def wait(self, work: Work[T]) -> T:
        """Return the same to a caller who does not await; services of a loop that has ended move to the background."""
        if self._home is None or not self._home.is_running():
            self._home = BACKGROUND.loop
        return wait_on(self._home, lambda: work(self._services))


class OpenedOnFirstCall:
    """Services that the first call opens in the background, for all loops and threads of the process.

    They are closed when nobody holds the source any more, or at the end of the process.
    """

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[Services]]) -> None:
        self._opener = opener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Task[Services] | None = None

    async def run(self, work: Work[T]) -> T:
        """Return `await work(services)`, awaited in the background."""
        return await run_on(BACKGROUND.loop, lambda: self._work(work))

    def wait(self, work: Work[T]) -> T:
        """Return the same to a caller who does not await."""
        return wait_on(BACKGROUND.loop, lambda: self._work(work))

    async def _work(self, work: Work[T]) -> T:
        return await work(await self._services())

    async def _services(self) -> Services:
        """Return the services; concurrent first calls wait for the one opening. A failed opening is tried again."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._opening is None or _has_failed(self._opening):
            self._loop, self._opening = loop, loop.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Services:
        stack = AsyncExitStack()
        services = await stack.enter_async_context(self._opener())
        BACKGROUND.keep(stack)
        # At the end of the process the background closes what is left, and waits for it.
        weakref.finalize(self, BACKGROUND.discard, stack).atexit = False
        return services


def _has_failed(opening: asyncio.Task[Services]) -> bool:
    return opening.done() and (opening.cancelled() or opening.exception() is not None)
