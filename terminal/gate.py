"""The one way to the pages: who may pass, from which page a request may come, and what browsers are told of a reply."""

import re
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api.headers import header
from ..api.origins import host_of, names
from ..graph.run import Cascade
from .ticker import Ticker
from .viewers import COOKIE, Viewer, viewer_of

OPEN = ("/sign-in", "/setup", "/theme.css", "/_nicegui/")
"""What is served to everybody: pages for signing in and for a setup link, and static files, none of which tells of
anybody."""
SOCKET = "/_nicegui_ws/"
"""Where pages connect; by requests, too, where a websocket does not come about."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED_PREFIX = b"x-forwarded-prefix"
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; "
    "base-uri 'self'; form-action 'self'; object-src 'none'"
)
"""NiceGUI's pages compile their templates in the browser, which takes eval; nothing is loaded from elsewhere."""
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
}
VIEWER, CASCADE, TICKER = "x25.viewer", "x25.cascade", "x25.ticker"


class Gate:
    """Middleware around the pages' application; what passes it finds the viewer and the cascade in its scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._ticker: Ticker | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        cascade: Cascade = scope["app"].state.cascade
        path = inside(scope)
        if is_foreign(scope, cascade):
            await _refuse(scope, receive, send, 403)
            return
        viewer = await viewer_of(session_of(scope), scope.get("client"), cascade)
        if viewer is None and not path.startswith(OPEN):
            await _refuse(scope, receive, send, 401)
            return
        if self._ticker is None or self._ticker.cascade is not cascade:
            self._ticker = Ticker(cascade, scope["app"].state)
        # A copy: what is around sees its own application in its scope, not the pages' one.
        inner = {**with_plain_prefix(scope), VIEWER: viewer, CASCADE: cascade, TICKER: self._ticker}
        is_static = path.startswith("/_nicegui/")

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() not in HEADERS]
                message["headers"] = [*kept, *HEADERS.items()]
                if not is_static:
                    plain = [one for one in message["headers"] if one[0].lower() != b"cache-control"]
                    message["headers"] = [*plain, (b"cache-control", b"no-store")]
            await send(message)

        await self._app(inner, receive, marked)


def inside(scope: Scope) -> str:
    """Return the path of a request below the pages' own."""
    path: str = scope.get("path", "")
    return path.removeprefix(scope.get("root_path", ""))


def prefix_of(scope: Scope) -> str:
    """Return the path that a proxy in front took away, as it says; empty for none, or what is no path."""
    told = (header(scope, FORWARDED_PREFIX) or b"").decode("latin-1").rstrip("/")
    return told if _PREFIX.fullmatch(told) else ""


def with_plain_prefix(scope: Scope) -> Scope:
    """Return a scope that says a proxy's prefix in one way or not at all: NiceGUI puts it before every address."""
    kept = [pair for pair in scope["headers"] if pair[0].lower() != FORWARDED_PREFIX]
    prefix = prefix_of(scope)
    return {**scope, "headers": [*kept, (FORWARDED_PREFIX, prefix.encode())] if prefix else kept}


def session_of(scope: Scope) -> str | None:
    """Return the token of the session that a request shows; None without one."""
    return cookie_in(scope, COOKIE)


def cookie_in(scope: Scope, name: str) -> str | None:
    """Return a cookie of a request; None without it."""
    try:
        cookies = SimpleCookie((header(scope, b"cookie") or b"").decode("latin-1"))
    except CookieError:
        return None
    found = cookies.get(name)
    return None if found is None else found.value


def is_foreign(scope: Scope, cascade: Cascade) -> bool:
    """Return whether a page of another origin connects, changes something, or asks for a page without showing it."""
    if scope["type"] == "http" and scope["method"] in SAFE and not inside(scope).startswith(SOCKET):
        # Following a link is anybody's right. What only pretends to be a picture would leave a page in memory.
        is_shown = header(scope, b"sec-fetch-dest") in (None, b"document")
        return not is_shown and _is_from_elsewhere(scope)
    origin = header(scope, b"origin")
    if origin is None:
        return _is_from_elsewhere(scope)
    parts, host = urlsplit(origin.decode("latin-1")), (header(scope, b"host") or b"").decode("latin-1")
    if parts.netloc.lower() == host.lower():
        return False
    # A proxy in front may speak to us under another name than the browser spoke to it.
    return host_of(parts.netloc) not in names(cascade.settings.allowed_hosts)


def _is_from_elsewhere(scope: Scope) -> bool:
    return header(scope, b"sec-fetch-site") not in (None, b"same-origin", b"none")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status})
        return
    wants_page = b"text/html" in (header(scope, b"accept") or b"")
    response: Response
    if status == 401 and scope["method"] == "GET" and wants_page:
        here = inside(scope).lstrip("/")
        asked = scope["query_string"].decode("latin-1")
        target = quote(f"{here}?{asked}" if asked else here)
        base = f"{prefix_of(scope)}{scope.get('root_path', '')}"
        response = RedirectResponse(f"{base}/sign-in?next={target}", 303)
    else:
        words = "sign in first" if status == 401 else "this request comes from a page of another site"
        response = JSONResponse({"error": {"message": words}}, status)
    response.headers["cache-control"] = "no-store"
    await response(scope, receive, send)


def viewer_in(scope: Any) -> tuple[Viewer, Cascade]:
    """Return who asks, and the cascade, of a request that passed the gate."""
    return scope[VIEWER], scope[CASCADE]
