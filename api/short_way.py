"""The way of a call through the door: its body is parsed once and checked once, and its function is called.

FastAPI describes the same functions and serves them, too: it is asked whenever anything is out of the ordinary about a
body, so that every refusal is worded in one place.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..graph.run import Cascade
from ..state.errors import InvalidRequest, X25Error
from .addresses import MODEL
from .bodies import BODY
from .deps import caller_of
from .errors import answer_to
from .headers import header, path_of
from .heads import heads_of

JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Way:
    """What a path takes, and the function that answers it.

    The function is given the body, the cascade, the caller's key and the headers that steer a call.
    """

    takes: type[BaseModel]
    answer: Callable[..., Awaitable[Response]]
    is_ours: bool = False
    """Whether a query that it does not know is refused, which is left to FastAPI."""

    def read(self, scope: Scope) -> BaseModel | None:
        """Return the checked body of a request; None for one that FastAPI has to look at."""
        body: bytes | None = scope.get(BODY)
        if self.is_ours and scope.get("query_string"):
            return None
        kind = header(scope, b"content-type") or b""
        if not body or not (kind in (JSON, b"") or kind.startswith(JSON + b";")):
            return None
        try:
            found = self.takes.model_validate(from_json(body))
        except (ValidationError, ValueError, InvalidRequest):
            return None
        named = scope.get(MODEL)
        if named is not None and getattr(found, "model", None) in (None, "auto"):
            return found.model_copy(update={"model": named})
        return found


class ShortWay:
    """Middleware that answers POST on the paths of `ways` without FastAPI; the innermost one."""

    def __init__(self, app: ASGIApp, ways: Mapping[str, Way]) -> None:
        self._app = app
        self._ways = ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        way = (
            self._ways.get(path_of(scope)) if scope["type"] == "http" and scope["method"] == "POST" else None
        )
        body: Any = None if way is None else way.read(scope)
        if way is None or body is None:
            await self._app(scope, receive, send)
            return
        cascade: Cascade = scope["app"].state.cascade
        try:
            headers = Headers(scope=scope)
            key = await caller_of(headers, cascade, scope.get("client"))
            response = await way.answer(body, cascade, key, heads_of(scope))
        except X25Error as error:
            response = answer_to(error, cascade)
        await response(scope, receive, send)
