"""The pages on a gateway's application: a door at first, behind which they are loaded when somebody asks for one.

NiceGUI takes most of a second to import and some twenty megabytes. A gateway whose pages nobody opens pays neither.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from .gate import Gate, prefix_of

PREFIX = "/terminal"
ROOMS = "x25.terminal.rooms"


class Lazy:
    """Stands for the pages' application until the first request, which loads it."""

    def __init__(self) -> None:
        self._opened = AsyncExitStack()
        self._loading: asyncio.Task[ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection; those that come while the pages are loaded wait for the one load."""
        if self._loading is None or (self._loading.done() and self._loading.exception() is not None):
            self._loading = asyncio.create_task(self._load())
        # Who asked first may leave: the others wait for the same load.
        app = await asyncio.shield(self._loading)
        await app(scope, receive, send)

    async def close(self) -> None:
        """End what the pages began, where they were loaded."""
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        await self._opened.aclose()

    async def _load(self) -> ASGIApp:
        # A thread's work is interleaved with the calls under way, where the same on the loop would stop them all.
        rooms = await asyncio.to_thread(import_module, ROOMS)
        app: FastAPI = await asyncio.to_thread(rooms.furnish)
        await self._opened.enter_async_context(app.router.lifespan_context(app))
        gc.freeze()  # as after start-up: what stays until the end is not looked through again and again
        return app


def say_where(app: FastAPI, words: str) -> None:
    """Answer requests for pages, where there are none, by where they are."""
    app.router.routes.append(Mount(PREFIX, PlainTextResponse(f"{words}\n", 404)))


def mount(app: FastAPI) -> None:
    """Serve the pages below `/terminal` of a gateway, once in a process; closed before what they read from is."""
    lazy = Lazy()
    around = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with around(app) as state:
            try:
                yield state
            finally:
                await lazy.close()

    async def first(request: Request) -> RedirectResponse:
        base = f"{prefix_of(request.scope)}{request.scope.get('root_path', '')}"
        return RedirectResponse(f"{base}{PREFIX}/", 307)

    app.router.lifespan_context = lifespan
    for path in ("/", PREFIX):
        app.add_api_route(path, first, include_in_schema=False)
    # Before the routes of the API: FastAPI prepares each when a path is first compared with it, a tenth of a second
    # for all of them, on the loop.
    app.router.routes.insert(0, Mount(PREFIX, Gate(lazy)))
