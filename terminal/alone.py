"""The pages without the calls: an application of their own over a gateway's store, on a port of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ..api.routes import livez
from ..graph.run import open_cascade
from ..graph.settings import Settings
from .mounting import mount


def create_pages(settings: Settings) -> FastAPI:
    """Return an application that serves the pages, and of the API whether the process lives.

    What it reads is in the store; what lives in a gateway's process, such as calls in flight, it does not show. Chores
    are the gateways'.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_cascade(settings, does_chores=False) as cascade:
            app.state.cascade = cascade
            yield

    app = FastAPI(title="x25 terminal", lifespan=lifespan, openapi_url=None)
    app.include_router(livez.router)
    mount(app)
    return app
