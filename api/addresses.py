"""Addresses as clients of vendors write them, and the id by which they tell a request.

A base URL may be a part too long or too short, an address may end with a slash or be in Azure's form.
"""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .headers import header
from .receipts import CALL_ID

MODEL = "x25.model"
"""Where a scope holds the model that an address names; `short_way` reads it."""
_VERSION = "/v1"
_BEFORE = ("/openai/v1", "/api/v1", "/v1/v1", "/v1", "")
"""What base URLs say in the place of the version, the longest first."""
_AZURE = re.compile(r"(?:/v1)?/openai/deployments/([^/]{1,300})(/[a-z/]{1,40})")
_ID = re.compile(rb"[\x21-\x7e]{1,128}")
ID_HEADERS = ("x-request-id", "request-id")
"""Where OpenAI's clients look for what to name when they ask about a reply, and where Anthropic's do."""
_ID_HEADERS = tuple(name.encode() for name in ID_HEADERS)
_CALL_ID = CALL_ID.encode()


class Addresses:
    """Middleware that leads such requests to one of `paths`, all below /v1; the outermost one.

    A HEAD of what may be read is answered as its GET would be, without a body. The id of a request is the caller's
    where it sent one, else the call's.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = self._usual(scope)
        is_probe = scope["method"] == "HEAD" and scope["path"] in ("/", "/v1/models")
        if is_probe:
            scope["method"] = "GET"
        given = header(scope, _ID_HEADERS[0]) or b""

        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_id(message.get("headers") or (), given)
            elif is_probe and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, identified)

    def _usual(self, scope: Scope) -> Scope:
        """Return the scope of the request that is meant."""
        path, model = self._meant(scope["path"])
        changed: dict[str, Any] = {**scope}
        if path != scope["path"]:
            changed |= {"path": path, "raw_path": path.encode()}
        if model is not None:
            changed[MODEL] = model
        if (key := header(scope, b"api-key")) and not (
            header(scope, b"authorization") or header(scope, b"x-api-key")
        ):
            changed["headers"] = [*scope["headers"], (b"x-api-key", key)]  # Azure's name for it
        return changed

    def _meant(self, path: str) -> tuple[str, str | None]:
        """Return the path that is served, where there is one, and the model that the address names."""
        if path in self._paths:
            return path, None
        bare = path.rstrip("/")
        if azure := _AZURE.fullmatch(bare):
            found = _VERSION + azure[2]
            return (found, unquote(azure[1])) if found in self._paths else (path, None)
        for before in _BEFORE:
            found = _VERSION + bare[len(before) :]
            if bare.startswith(before) and found in self._paths:
                return found, None
        return path, None


def _with_id(headers: Collection[tuple[bytes, bytes]], given: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of a reply with an id under both names."""
    named = {name.lower(): value for name, value in headers}
    known = given if _ID.fullmatch(given) else named.get(_CALL_ID) or uuid4().hex.encode()
    return [*headers, *((name, known) for name in _ID_HEADERS if name not in named)]
