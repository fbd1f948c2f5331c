"""The HTTP application: one cascade, opened with the server and closed with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from time import monotonic
from typing import Any

from fastapi import FastAPI

from ..graph.refits import working_off
from ..graph.run import open_cascade
from ..graph.settings import Settings, load_settings
from . import errors
from .bodies import BoundedBodies
from .loops import NoLoops
from .origins import KnownPages
from .pulse import Pulse
from .routes import healthz, judge, keys, route, stage, stats, thompson, v1, verify
from .schemas import Problem

DESCRIPTION = """Routes every LLM call to the cheapest model that meets the caller's quality bar, judges the answer,
escalates when needed, learns per org and keeps a hash-chained audit trail."""


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing or unknown."},
    403: {"model": Problem, "description": "The key belongs to another org."},
    422: {"model": Problem, "description": "The org's name breaks the rule."},
    503: {"model": Problem, "description": "The store cannot be used."},
}
"""How a report is refused."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; `settings` default to the environment, read when the server starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chosen = settings or load_settings()
        async with open_cascade(chosen) as cascade, working_off(cascade.services.store, chosen):
            app.state.cascade = cascade
            app.state.started_s = monotonic()
            app.state.pulse = Pulse()
            beating = asyncio.create_task(app.state.pulse.beat_for_ever())
            try:
                yield
            finally:
                beating.cancel()

    app = FastAPI(title="x25", version=version("x25"), description=DESCRIPTION, lifespan=lifespan)
    errors.install(app)
    # The last one added is the first to see a request.
    app.add_middleware(BoundedBodies)
    app.add_middleware(KnownPages)
    app.add_middleware(NoLoops)
    for room in (route, v1, keys, healthz):
        app.include_router(room.router)
    for room in (stats, stage, thompson, judge, verify):
        app.include_router(room.router, responses=REFUSALS)
    return app
