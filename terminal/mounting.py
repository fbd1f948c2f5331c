"""The pages on a gateway's application."""

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount

from . import chat_page, exports, home, keys_page, mission, observatory, receipt, routing_page, sign_in
from .gate import Gate

PREFIX = "/terminal"
ROOMS = (chat_page, home, keys_page, mission, observatory, receipt, routing_page)
"""Imported for the pages they announce."""
HISTORY = 30
"""Messages kept a session, to be sent again after its connection broke for a moment."""
RECONNECTS_WITHIN_S = 8.0


def mount(app: FastAPI) -> None:
    """Serve the pages below `/terminal` of a gateway, once in a process; opened and closed with it."""
    pages.include_router(sign_in.router)
    pages.include_router(exports.router)

    async def first(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{PREFIX}/", 307)

    app.add_api_route("/", first, include_in_schema=False)
    ui.run_with(
        app, mount_path=PREFIX, title="x25", language="en-US", dark=None, tailwind=False, binding_refresh_interval=None,
        reconnect_timeout=RECONNECTS_WITHIN_S, message_history_length=HISTORY, show_welcome_message=False,
    )  # fmt: skip
    for route in app.router.routes:
        if isinstance(route, Mount) and route.app is pages:
            route.app = Gate(pages)
