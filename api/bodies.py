"""Read the body of a request before anybody looks at it: so many bytes, in so much time, and no more."""

import asyncio

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..graph.settings import Settings
from .errors import error_body
from .headers import header

BODY = "x25.body"
"""Where the whole body is in the scope of a request that has one."""

MAX_MARKS = 500_000
"""Commas and opening brackets of one body: each may become a value, and parsing them holds up every other call."""
MOST_QUOTED = 100
"""How much of what a client calls its encoding is repeated, characters."""
DRAINED = 16
"""How many times the limit is read and thrown away, so that a client that is still sending hears why."""


class BoundedBodies:
    """Middleware that answers 413 to a body that is too large, 415 to a packed one and 408 to one that does not come.

    The limits are those of the application's settings. A body is counted as it arrives, with a length and without.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        settings: Settings = scope["app"].state.cascade.settings
        try:
            async with asyncio.timeout(settings.body_timeout_s):
                body = await _read(scope, receive, settings.max_body_bytes)
        except TimeoutError:
            sentence = f"the body did not arrive within {settings.body_timeout_s:g} s"
            await _refusal(408, "request_timeout", sentence)(scope, receive, send)
            return
        except ConnectionResetError:
            return
        if (coding := header(scope, b"content-encoding") or b"identity") != b"identity":
            # Unpacked, a small body may be as large as it likes.
            packed = coding.decode("latin-1")[:MOST_QUOTED]
            sentence = f"a body of content-encoding {packed!r} is not read; send it plain"
            await _refusal(415, "unsupported_encoding", sentence, "content-encoding")(scope, receive, send)
            return
        problem = _problem(body, settings.max_body_bytes)
        if body is None or problem:
            await _refusal(413, "request_too_large", problem)(scope, receive, send)
            return
        scope[BODY] = body
        await self._app(scope, _replay(body, receive), send)


def _has_body(scope: Scope) -> bool:
    return (
        header(scope, b"content-length") not in {None, b"0"}
        or header(scope, b"transfer-encoding") is not None
    )


async def _read(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """Return the body; None for one of more than `most` bytes.

    Raises
    ------
    ConnectionResetError
        When the client went away.
    """
    length = header(scope, b"content-length") or b""
    declared = int(length) if length.isdigit() else 0
    if declared > most * DRAINED or (declared > most and header(scope, b"expect") is not None):
        return None
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= most * DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        piece: bytes = message.get("body", b"")
        size, more = size + len(piece), bool(message.get("more_body", False))
        if max(size, declared) > most:
            pieces.clear()
        else:
            pieces.append(piece)
    return None if max(size, declared) > most else b"".join(pieces)


def _problem(body: bytes | None, most: int) -> str:
    """Return what is wrong with the size of a body; "" when nothing is."""
    if body is None:
        return f"the body must have at most {most} bytes (X25_MAX_BODY_BYTES)"
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_MARKS:
        return f"the body must have at most {MAX_MARKS} commas and opening brackets"
    return ""


def _refusal(status: int, code: str, sentence: str, field: str = "body") -> Response:
    body = error_body(code, sentence, kind="invalid_request_error", field=field)
    return JSONResponse(body, status_code=status, headers={"Connection": "close"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return what hands the body on once, then whatever else comes."""
    waiting = [body]

    async def next_message() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return next_message
