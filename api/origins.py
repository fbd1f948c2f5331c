"""Who may talk to this gateway by way of a browser: the host a request names, and the page it comes from."""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..graph.settings import Settings
from ..state.rates import RATE_HEADERS
from .addresses import ID_HEADERS
from .errors import error_body
from .headers import header
from .receipts import BREAKERS_HEADER, RECEIPT_HEADERS

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
ANY = "*"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


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
        is_request = scope["type"] in {"http", "websocket"}
        named = host_of((header(scope, b"host") or b"").decode("latin-1")) if is_request else ""
        if not named or ANY in self._hosts or named in self._hosts:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        message = f"this gateway is not {named[:200]!r}; X25_ALLOWED_HOSTS says which names it answers to"
        body = error_body("host_not_allowed", message, kind="invalid_request_error", field="host")
        await JSONResponse(body, status_code=403)(scope, receive, send)


class KnownPages:
    """Middleware that lets the pages of the settings' `cors_origins` read replies, and no other page change anything.

    A browser sends a page's request to another address without asking first where its body is empty or plain text, and
    where it brings no key: a gateway that asks for none would do what any page says. The `Origin` gives the page away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cors: CORSMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or header(scope, b"origin") is None:
            await self._app(scope, receive, send)
            return
        settings: Settings = scope["app"].state.cascade.settings
        if _is_from_a_strange_page(scope, names(settings.cors_origins)):
            message = "pages of other origins change nothing here without a key; X25_CORS_ORIGINS names those that may"
            body = error_body("origin_not_allowed", message, kind="invalid_request_error", field="origin")
            await JSONResponse(body, status_code=403)(scope, receive, send)
            return
        if not settings.cors_origins:
            await self._app(scope, receive, send)
            return
        if self._cors is None:
            self._cors = CORSMiddleware(
                self._app,
                allow_origins=names(settings.cors_origins),
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"],
                allow_headers=["*"],
                expose_headers=[
                    *RECEIPT_HEADERS,
                    BREAKERS_HEADER,
                    "x-x25-byok",
                    *RATE_HEADERS,
                    "retry-after",
                    *ID_HEADERS,
                ],
            )
        await self._cors(scope, receive, send)


def _is_from_a_strange_page(scope: Scope, allowed: Collection[str]) -> bool:
    """Return whether a page of another origin, without a key, asks for more than to read."""
    if scope["method"] in _READING or header(scope, b"authorization") or header(scope, b"x-api-key"):
        return False
    origin = (header(scope, b"origin") or b"").decode("latin-1").lower()
    own = (header(scope, b"host") or b"").decode("latin-1").lower()
    return origin.partition("://")[2] != own and origin not in allowed and ANY not in allowed


def names(setting: str) -> list[str]:
    """Return the parts of a setting that lists names, separated by commas."""
    return [part.strip() for part in setting.split(",") if part.strip()]


def host_of(header: str) -> str:
    """Return the name in a Host header, in lower case, without port and brackets."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
