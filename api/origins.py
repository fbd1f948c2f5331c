"""Who may talk to this gateway by way of a browser: the host a request names, and the page it comes from."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..graph.settings import Settings
from .errors import error_body

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
ANY = "*"


class KnownHosts:
    """Middleware that refuses a request addressed to a name that is not this gateway's.

    A page can make its own name lead to 127.0.0.1 once it is open, and would then be as close to a gateway on loopback
    as its owner is. The name it was opened under gives it away.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        named = host_of(Headers(scope=scope).get("host", "")) if scope["type"] == "http" else ""
        if not named or ANY in self._hosts or named in self._hosts:
            await self._app(scope, receive, send)
            return
        message = f"this gateway is not {named[:200]!r}; X25_ALLOWED_HOSTS says which names it answers to"
        body = error_body("host_not_allowed", message, kind="invalid_request_error", field="host")
        await JSONResponse(body, status_code=403)(scope, receive, send)


class KnownPages:
    """Middleware that lets the pages of the settings' `cors_origins` read replies; without any it does nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cors: CORSMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or "origin" not in Headers(scope=scope):
            await self._app(scope, receive, send)
            return
        settings: Settings = scope["app"].state.cascade.settings
        if not settings.cors_origins:
            await self._app(scope, receive, send)
            return
        if self._cors is None:
            self._cors = CORSMiddleware(
                self._app,
                allow_origins=names(settings.cors_origins),
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=["x-x25-model", "x-x25-tier", "x-x25-call-id", "retry-after"],
            )
        await self._cors(scope, receive, send)


def names(setting: str) -> list[str]:
    """Return the parts of a setting that lists names, separated by commas."""
    return [part.strip() for part in setting.split(",") if part.strip()]


def host_of(header: str) -> str:
    """Return the name in a Host header, in lower case, without port and brackets."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
