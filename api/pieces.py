"""Between a call and the door: the pieces of an answer that is read while it is written."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ..providers.deltas import Ending, Source
from ..state.types import JSONObject

MOST_UNREAD = 256
"""Pieces that wait for a slow client before its model is read no further."""

FIRST_TURNS = 4
"""Turns of the event loop that the door takes to send a first piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the message, in OpenAI's form, with the probabilities of its tokens."""

    delta: JSONObject
    logprobs: JSONObject | None


class Pieces:
    """A `Reader` whose pieces the door takes out; one event loop."""

    def __init__(self) -> None:
        self.source: Source | None = None
        """Whose words they are; None until the first."""
        self.ending: Ending | None = None
        """How the answer ended; None until it has."""
        self.has_left = False
        self._unread: list[Piece] = []
        self._is_first = True
        self._tell: Callable[[], None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    def begin(self, source: Source) -> None:
        """Take note of whose words come."""
        self.source = source

    async def take(self, delta: JSONObject, logprobs: JSONObject | None = None) -> None:
        """Take a piece; waits while the client reads too slowly."""
        self._unread.append(Piece(delta, logprobs))
        self.wake()
        if (
            self._is_first
        ):  # many may have come at once; the door sends the first before the others are looked at
            self._is_first = False
            for _ in range(FIRST_TURNS):
                await asyncio.sleep(0)
        while len(self._unread) >= MOST_UNREAD and not self.has_left:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def end(self, ending: Ending) -> None:
        """Take note that the message is whole."""
        self.ending = ending
        self.wake()

    def on_leave(self, tell: Callable[[], None] | None) -> None:
        """Have `tell` called when the client leaves."""
        self._tell = tell
        if tell is not None and self.has_left:
            tell()

    def leave(self) -> None:
        """Note that the client is gone: nothing is sent any more."""
        if self.has_left:
            return
        self.has_left = True
        self.unread()
        self.wake()
        if self._tell is not None and self.ending is None:
            self._tell()

    def unread(self) -> list[Piece]:
        """Return what came since this was asked last."""
        found, self._unread = self._unread, []
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        return found

    def wake(self, _: object = None) -> None:
        """Let `news` return; also for a call that has ended."""
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def news(self, within_s: float) -> bool:
        """Wait until something came, or `within_s` seconds; return whether it did."""
        if self._unread or self.ending is not None:
            return True
        loop = asyncio.get_running_loop()
        self._news = loop.create_future()
        timer = loop.call_later(within_s, self._news.cancel)
        try:
            await self._news
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return False
        finally:
            timer.cancel()
        return True
