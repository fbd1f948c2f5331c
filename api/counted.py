"""Count requests by path and status; paths that strangers make up count as one."""

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..state.meter import Meter

OTHER = "other"


class Counted:
    """Middleware that counts what is answered, whoever answers it; the outermost one."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(path for path in paths if "{" not in path)
        self._heads = frozenset(_head(path) for path in paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = self._label(scope["path"])

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                meter: Meter = scope["app"].state.cascade.services.meter
                meter.add("x25_http_requests", (path, str(message["status"])))
            await send(message)

        await self._app(scope, receive, counting)

    def _label(self, path: str) -> str:
        if path in self._paths:
            return path
        head = _head(path)
        return head if head in self._heads else OTHER


def _head(path: str) -> str:
    """Return the first segment of a path: what comes after it may be a name."""
    return "/" + path[1:].partition("/")[0]
