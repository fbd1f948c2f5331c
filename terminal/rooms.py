"""NiceGUI's application with all pages in it. Importing this loads NiceGUI."""

import asyncio

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import client, core, ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message, Scope

from . import chat_page, exports, home, keys_page, mission, observatory, receipt, routing_page, setup, sign_in
from .frame import note_seen
from .live import SEEN
from .markup import div, link, tag
from .sign_in import plain_page

ROOMS = (chat_page, home, keys_page, mission, observatory, receipt, routing_page)
"""Imported for the pages they announce."""
HISTORY = 30
"""Messages kept a session, to be sent again after its connection broke for a moment."""
RECONNECTS_WITHIN_S = 8.0


def furnish() -> FastAPI:
    """Return the pages' application, to be opened and closed by its lifespan; once in a process."""
    pages.include_router(sign_in.router)
    pages.include_router(setup.router)
    pages.include_router(exports.router)
    # NiceGUI takes its options with an application to be put on. Ours is put on the gateway's by `mounting`, which is
    # serving by then, so this one is thrown away.
    pages.add_exception_handler(404, _not_found)
    ui.run_with(
        FastAPI(), title="x25", language="en-US", dark=None, tailwind=False, binding_refresh_interval=None,
        reconnect_timeout=RECONNECTS_WITHIN_S, message_history_length=HISTORY, show_welcome_message=False,
    )  # fmt: skip
    core.sio.on(SEEN, note_seen)
    asyncio.run(_warm_up())
    return pages


async def _not_found(request: Request, error: Exception) -> Response:
    """Say to a browser in words that there is no such page, and how to go on."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": getattr(error, "detail", "Not Found")}, 404)
    first = link(f"{request.scope.get('root_path', '')}/", "To the first page")
    return HTMLResponse(plain_page("Not found", div("card", tag("h1", "There is no such page"), first)), 404)


async def _warm_up() -> None:
    """Do what the first request would do once: compile routes and the page's template, load an event loop's back end.

    On a loop of this thread, of which nothing is left.
    """
    client.templates.get_template("index.html")
    scope: Scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/theme.css", "raw_path": b"/theme.css",
        "root_path": "", "scheme": "http", "query_string": b"", "headers": [], "client": None, "server": None,
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        pass

    await pages(scope, receive, send)
