"""Server-sent events in any dialect: a head at once, and the answer while it is written, where nothing can replace it.

Elsewhere comments keep the connection alive while the cascade works, and the answer comes once it stands.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Protocol

from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ..providers.deltas import Ending, Source
from ..state.errors import X25Error
from ..state.types import JSONObject, Reply
from .encoding import to_json
from .errors import body_of, logged
from .pieces import Piece, Pieces
from .receipts import TIER_TO_NAME, receipt_headers

HEAD_AFTER_S = 0.5
"""How long a stream waits before its head: what is refused or fails by then keeps its HTTP status."""
ALIVE_EVERY_S = 5.0
"""Seconds between two comments; clients and proxies give a silent connection up after some ten."""
RECEIPT_WITHIN_S = 0.25
"""How long a stream whose answer was sent waits for its call to be written down; a judge takes longer."""
KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"
"""Ends the streams of chats and completions, and none that broke off: a client would take a part for the whole."""
UNBUFFERED = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""For proxies that would hold comments back."""

_LINE_ENDS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""Ends of lines to Unicode and to readers that split at these; JSON escapes the others itself."""

_log = logging.getLogger(__name__)


class Dialect(Protocol):
    """Tells one answer in a vendor's events; either `take`, again and again, and `close`, or `answer`."""

    def begin(self, source: Source | None) -> Iterable[bytes]:
        """Say what is said before the answer; `source` is None while nobody knows who gives it."""
        ...

    def take(self, source: Source, pieces: Sequence[Piece]) -> Iterable[bytes]:
        """Tell pieces of an answer that is sent while it is written."""
        ...

    def close(self, source: Source, ending: Ending, reply: Reply | None) -> Iterable[bytes]:
        """Tell how such an answer ended; `reply` is None while a judge is at work on it still."""
        ...

    def answer(self, reply: Reply) -> Iterable[bytes]:
        """Tell an answer that stands."""
        ...

    def fail(self, status: int, body: JSONObject) -> Iterable[bytes]:
        """Tell what went wrong, given the HTTP status and body that it would have been."""
        ...


async def streamed(call: asyncio.Task[Reply], dialect: Dialect, pieces: Pieces | None = None) -> Response:
    """Return the answer of a call under way as a stream. The call goes on when the client has left.

    Parameters
    ----------
    pieces
        The reader that the call was begun with: what it is sent goes straight on. Without one, or where a better answer
        could follow, the answer comes once it stands. When the client leaves, so does the reader.

    Raises
    ------
    X25Error
        What the call met before the head was sent; later it is an event of the stream.
    """
    pieces = pieces or Pieces()
    call.add_done_callback(pieces.wake)
    if not call.done():
        await pieces.news(HEAD_AFTER_S)
    return EventStream(events_of(call, dialect, pieces), pieces, {**UNBUFFERED, **_headers(call, pieces)})


class EventStream(StreamingResponse):
    """A stream of events whose reader leaves with its client, however that goes.

    It watches for the client's leave with one task: Starlette's group of tasks takes as long as a first token does.
    """

    def __init__(self, events: AsyncIterator[bytes], pieces: Pieces, headers: Mapping[str, str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._events = events
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it; a client that left is sent no more."""
        watching: asyncio.Task[None] | None = None
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for event_ in self._events:
                await send({"type": "http.response.body", "body": event_, "more_body": True})
                if watching is None:
                    watching = asyncio.create_task(self._watch(receive))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if watching is not None:
                watching.cancel()
            self._pieces.leave()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._pieces.leave()


def _headers(call: asyncio.Task[Reply], pieces: Pieces) -> dict[str, str]:
    """Return what the head tells of a call: all once it has ended, whose words they are once these come."""
    if call.done():
        return receipt_headers(call.result())
    if (source := pieces.source) is None:
        return {}
    return {
        "x-x25-model": source.model_id,
        "x-x25-provider": source.provider,
        "x-x25-tier": source.tier,
        "x-x25-tier-used": TIER_TO_NAME.get(source.tier, ""),
        "x-x25-call-id": source.call_id,
    }


async def events_of(call: asyncio.Task[Reply], dialect: Dialect, pieces: Pieces) -> AsyncIterator[bytes]:
    """Yield the events that tell the answer of a call under way, from the first to the last; see `streamed`."""
    if begun := b"".join(dialect.begin(pieces.source)):
        yield begun
    clock = asyncio.get_running_loop().time
    said_at_s = -ALIVE_EVERY_S
    while not call.done() and pieces.ending is None and not pieces.has_left:
        if told := _told(dialect, pieces):
            yield told
            said_at_s = clock()
            continue
        if clock() - said_at_s >= ALIVE_EVERY_S:  # thoughts come, too, and are no news to every dialect
            yield KEEP_ALIVE
            said_at_s = clock()
        if not call.done():
            await pieces.news(max(0.0, said_at_s + ALIVE_EVERY_S - clock()))
    if pieces.has_left:
        return
    if told := _told(dialect, pieces):
        yield told
    if pieces.ending is not None:
        await asyncio.wait({call}, timeout=RECEIPT_WITHIN_S)
        assert pieces.source is not None
        yield b"".join(dialect.close(pieces.source, pieces.ending, _settled(call)))
    elif call.cancelled() or call.exception() is not None:
        yield b"".join(dialect.fail(*_problem(call)))
    else:
        yield b"".join(dialect.answer(call.result()))


def _told(dialect: Dialect, pieces: Pieces) -> bytes:
    sent = pieces.unread()
    if not sent:
        return b""
    assert pieces.source is not None
    return b"".join(dialect.take(pieces.source, sent))


def _settled(call: asyncio.Task[Reply]) -> Reply | None:
    """Return the reply of a call whose answer was sent; None where it is not there, or could not be made."""
    if not call.done() or call.cancelled():
        return None
    if (error := call.exception()) is not None:
        _log.error("a call whose answer was sent could not be closed: %s", logged(error))
        return None
    return call.result()


def _problem(call: asyncio.Task[Reply]) -> tuple[int, JSONObject]:
    """Return what went wrong after the head was sent."""
    error = asyncio.CancelledError() if call.cancelled() else call.exception()
    assert error is not None
    status, body = body_of(error)
    told = "a call failed after the head of its stream was sent (%d): %s"
    is_bug = not isinstance(error, X25Error)
    _log.warning(told, status, body["error"]["code"], exc_info=error if is_bug else None)
    return status, body


def event(data: Any, name: str | None = None) -> bytes:
    """Return an event with JSON as its data, in one line whatever a reader takes for the end of one."""
    told = to_json(data)
    if not told.isascii():
        for found, written in _LINE_ENDS:
            told = told.replace(found, written)
    return b"data: %b\n\n" % told if name is None else b"event: %b\ndata: %b\n\n" % (name.encode(), told)
