"""Calls of one request that are bought all or none: under a budget none asks a model until all have reserved."""

import asyncio
from contextvars import ContextVar
from typing import Any

from ...state.errors import OverBudget


class Together:
    """So many calls, each in a task of its own; one event loop."""

    def __init__(self, count: int) -> None:
        self._awaited = count
        self._settled = asyncio.Event()
        self.is_broken = False
        """Whether one of them ended before all had reserved, so that none is bought."""

    def arrived(self) -> None:
        """Note that one more has reserved what it may cost."""
        self._awaited -= 1
        if self._awaited == 0:
            self._settled.set()

    def broke(self) -> None:
        """Note that one cannot be had; once all have reserved that is too late."""
        if not self._settled.is_set():
            self.is_broken = True
            self._settled.set()

    async def settled(self) -> None:
        """Wait until all have reserved, or one cannot be had."""
        await self._settled.wait()


class Place:
    """The place of one call among them."""

    def __init__(self, together: Together) -> None:
        self._together = together
        self._has_arrived = False

    def check(self) -> None:
        """Raise OverBudget where another of the calls cannot be had."""
        if self._together.is_broken:
            raise OverBudget(
                "another answer of the same request cannot be had, and none is bought without it"
            )

    async def arrive(self) -> None:
        """Wait, having reserved, until all the others have; at once where they did before.

        Raises
        ------
        OverBudget
            When one of them cannot be had.
        """
        if not self._has_arrived:
            self._has_arrived = True
            self._together.arrived()
        await self._together.settled()
        self.check()

    def left(self, call: "asyncio.Task[Any]") -> None:
        """Note that the call ended; `call` as given to a task's callback."""
        if self._has_arrived:
            return
        if call.cancelled() or call.exception() is not None:
            self._together.broke()
        else:  # it had its answer without money
            self._together.arrived()


PLACE: ContextVar[Place | None] = ContextVar("x25_place", default=None)
"""Of the call that runs; None where it is asked for alone."""
