"""Several answers in one stream of server-sent events, their pieces in the order in which they come.

The first pieces alone come in the order of the choices: OpenAI's client gives each the place at which it first saw one.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from starlette.responses import Response

from ..state.types import JSONObject, Reply
from .pieces import Pieces
from .receipts import receipt_headers
from .sse import DONE, HEAD_AFTER_S, UNBUFFERED, Dialect, EventStream, events_of
from .surfaces.choices import Calls, summed, summed_usage

_END = None
COMMENT = b":"
"""How what keeps a connection alive begins."""


class ChoiceDialect(Dialect, Protocol):
    """A dialect whose chunks say which choice they belong to."""

    usage: JSONObject | None

    def total(self, usage: JSONObject | None) -> bytes:
        """Return the chunk that tells the tokens of all choices."""
        ...


class Readers(Pieces):
    """The readers of several answers: when the client leaves, all of them do."""

    def __init__(self, readers: Sequence[Pieces]) -> None:
        super().__init__()
        self._readers = readers

    def leave(self) -> None:
        """Note that the client is gone."""
        super().leave()
        for reader in self._readers:
            reader.leave()


async def streamed_choices(
    calls: Calls,
    dialects: Sequence[ChoiceDialect],
    readers: Sequence[Pieces | None],
    *,
    wants_usage: bool,
) -> Response:
    """Return the answers of calls under way as one stream.

    Parameters
    ----------
    dialects, readers
        Of each call; a dialect tells no usage of its own.
    wants_usage
        Whether the stream ends with the tokens of all.

    Raises
    ------
    X25Error
        What the first of the calls met that failed before the head was sent. Later it is an event, and the stream ends
        without `[DONE]`.
    """
    pieces = [reader or Pieces() for reader in readers]
    for call, reader in zip(calls, pieces, strict=True):
        call.add_done_callback(reader.wake)
    if not all(call.done() for call in calls):
        await _first_news(pieces)
    headers = UNBUFFERED
    calls.check()
    if all(call.done() for call in calls):
        headers = {**UNBUFFERED, **receipt_headers(summed([call.result() for call in calls]))}
    everybody = Readers(pieces)
    return EventStream(_merged(calls, dialects, pieces, wants_usage=wants_usage), everybody, headers)


async def _first_news(readers: Sequence[Pieces]) -> None:
    waiting = [asyncio.create_task(reader.news(HEAD_AFTER_S)) for reader in readers]
    _, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def _merged(
    calls: Sequence[asyncio.Task[Reply]],
    dialects: Sequence[ChoiceDialect],
    readers: Sequence[Pieces],
    *,
    wants_usage: bool,
) -> AsyncIterator[bytes]:
    said: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=len(calls))
    begun = [asyncio.Event() for _ in calls]

    each = zip(calls, dialects, readers, strict=True)
    telling = [
        asyncio.create_task(_tell(events_of(*one), said, begun, place)) for place, one in enumerate(each)
    ]
    left = len(telling)
    try:
        while left:
            told = await said.get()
            if told is _END:
                left -= 1
            elif told:
                yield told
    finally:
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)
    usages = [dialect.usage for dialect in dialects if dialect.usage is not None]
    if len(usages) < len(calls):
        return  # one broke off, and said so: the stream is no whole
    if wants_usage:
        yield dialects[0].total(summed_usage(usages))
    yield DONE


async def _tell(
    events: AsyncIterator[bytes],
    said: asyncio.Queue[bytes | None],
    begun: Sequence[asyncio.Event],
    place: int,
) -> None:
    """Say a choice's events, the first not before that of the choice in front of it."""
    async for told in events:
        is_comment = told.startswith(COMMENT)
        if place and not is_comment:
            await begun[place - 1].wait()
        await said.put(told.removesuffix(DONE))
        if not is_comment:
            begun[place].set()
    begun[place].set()
    await said.put(_END)
