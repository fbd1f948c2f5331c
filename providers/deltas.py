"""An answer on its way to somebody who reads it while its model writes it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from ..state.errors import ProviderError, ProviderTimeout, ReaderLeft
from ..state.types import JSONObject
from ..state.usage import Usage


@dataclass(frozen=True, slots=True)
class Source:
    """Whose words are read."""

    call_id: str
    model_id: str
    provider: str
    tier: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended that was read while it was written."""

    finish_reason: str
    usage: JSONObject
    cost_nusd: int
    """Of the request that brought it, nano-dollars."""
    service_tier: str | None = None


class Reader(Protocol):
    """Reads one answer at most. What is sent cannot be taken back, so the gateway sends none that may be replaced."""

    @property
    def has_left(self) -> bool:
        """Whether nobody reads any more."""
        ...

    def on_leave(self, tell: Callable[[], None] | None) -> None:
        """Have `tell` called when the reader leaves, at once if it has; None = nobody waits for that any more."""
        ...

    def begin(self, source: Source) -> None:
        """Take note of whose words come, right before the first."""
        ...

    async def take(self, delta: JSONObject, logprobs: JSONObject | None = None) -> None:
        """Take a piece of the message, in OpenAI's form; waits where too many were not read yet."""
        ...

    def end(self, ending: Ending) -> None:
        """Take note that the message is whole."""
        ...


READER: ContextVar[Reader | None] = ContextVar("x25_reader", default=None)
"""Who reads the answer of the call under way; None where it is returned once it stands. No part of its memory: a
call that is resumed has none."""


@dataclass(slots=True)
class Sending:
    """One answer being sent, and how long is waited for its pieces."""

    reader: Reader
    source: Source
    estimate: Callable[[JSONObject], Usage]
    """Guesses what a request used of whose message so far came."""
    first_token_s: float = 60.0
    """Longest wait for the first piece, from the request on."""
    idle_s: float = 30.0
    """Longest wait between two."""
    clock_s: Callable[[], float] = monotonic
    first_at_s: float = field(default=0.0, init=False)
    """When the first was sent, by that clock."""
    pieces: int = field(default=0, init=False)
    """How many were sent: from the first on nobody else can be asked."""
    is_unread: bool = field(default=False, init=False)
    """Whether the reader has yet to make room for a piece."""

    async def send(self, delta: JSONObject, logprobs: JSONObject | None = None) -> None:
        """Send a piece that says something.

        Raises
        ------
        ReaderLeft
            When nobody reads any more.
        """
        if not delta and not logprobs:
            return
        if self.reader.has_left:
            raise ReaderLeft("the client left")
        if not self.pieces:
            self.first_at_s = self.clock_s()
            self.reader.begin(self.source)
        self.pieces += 1
        self.is_unread = True
        await self.reader.take(delta, logprobs)
        self.is_unread = False


class Watch:
    """The clock over one request of a stream."""

    def __init__(self, limit: asyncio.Timeout, sending: Sending, ends_s: float, deployment: str) -> None:
        self._limit = limit
        self._sending = sending
        self._ends_s = ends_s
        self._deployment = deployment
        self._clock = asyncio.get_running_loop().time

    def heard(self) -> None:
        """Note a sign of life; until the first piece it gives the vendor no more time."""
        if self._sending.pieces and not self._limit.expired() and not self._sending.reader.has_left:
            self._limit.reschedule(min(self._ends_s, self._clock() + self._sending.idle_s))

    def stop(self) -> None:
        """End the request at once: its reader left."""
        if not self._limit.expired():
            self._limit.reschedule(self._clock())

    def verdict(self) -> ProviderError:
        """Return why it was ended."""
        if self._sending.reader.has_left:
            return ReaderLeft("the client left")
        if self._sending.is_unread:
            return ReaderLeft("the client stopped reading")
        if self._clock() >= self._ends_s:
            return ProviderTimeout(f"{self._deployment} did not finish in time")
        if not self._sending.pieces:
            first_s = self._sending.first_token_s
            return ProviderTimeout(f"{self._deployment} said nothing within {first_s:g} s")
        return ProviderTimeout(
            f"{self._deployment} fell silent for {self._sending.idle_s:g} s in the middle of its answer"
        )


@asynccontextmanager
async def watched(sending: Sending, timeout_s: float, deployment: str) -> AsyncIterator[Watch]:
    """Bound a request of a stream: its first piece, the pauses after it, the whole, and its reader's patience.

    Raises
    ------
    ProviderError
        `ProviderTimeout`, or `ReaderLeft`.
    """
    began_s = asyncio.get_running_loop().time()
    ends_s = began_s + timeout_s
    limit = asyncio.timeout_at(min(ends_s, began_s + sending.first_token_s))
    watch = Watch(limit, sending, ends_s, deployment)
    try:
        async with limit:
            sending.reader.on_leave(watch.stop)
            try:
                yield watch
            finally:
                sending.reader.on_leave(None)
    except TimeoutError as error:
        raise watch.verdict() from error
