"""The HTTP application: one cascade, opened with the server and closed with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from fastapi import Depends, FastAPI
from starlette.routing import Route

from ..graph.improvements import improving
from ..graph.refits import working_off
from ..graph.run import open_cascade
from ..graph.settings import Settings, load_settings
from . import errors
from .addresses import Addresses
from .admission import Admission, Admitting
from .bodies import BoundedBodies
from .counted import Counted
from .loops import NoLoops
from .metrics import Board, figures_of
from .origins import KnownPages
from .pulse import Pulse
from .receipts import Receipts
from .routes import (
    api,
    feedback,
    healthz,
    improve,
    judge,
    keys,
    livez,
    memory,
    metrics,
    orgs,
    readyz,
    route,
    stage,
    stats,
    thompson,
    v1,
    v1_embeddings,
    v1_responses,
    v1_texts,
    verify,
)
from .schemas import ChatRequest, Problem, RouteRequest
from .short_way import ShortWay, Way
from .surfaces.completions import CompletionRequest
from .surfaces.embeddings import EmbeddingRequest
from .surfaces.messages_reply import AnthropicErrors
from .surfaces.messages_request import MessagesRequest
from .surfaces.responses_request import ResponseRequest
from .unknown_parts import refuse_unknown_parts

DESCRIPTION = """Routes every LLM call to the cheapest model that meets the caller's quality bar, judges the answer,
escalates when needed, learns per org and keeps a hash-chained audit trail."""


PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
"""What a refusal holds, also at a door whose answer is plain text."""
UNKNOWN_PARTS: dict[int | str, dict[str, Any]] = {
    422: {
        "content": PROBLEM,
        "description": "It says something that the door does not know, or a name breaks its rule.",
    }
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing, unknown, revoked or expired."},
    403: {"model": Problem, "description": "The key belongs to another org, or lacks the scope."},
    **UNKNOWN_PARTS,
    503: {"model": Problem, "description": "The store cannot be used."},
}
"""How a report is refused."""


WAYS = {
    "/route": Way(RouteRequest, route.route, is_ours=True),
    "/v1/chat/completions": Way(ChatRequest, v1.chat_completions),
    "/v1/completions": Way(CompletionRequest, v1_texts.complete),
    "/v1/responses": Way(ResponseRequest, v1_responses.respond),
    "/v1/messages": Way(MessagesRequest, v1_texts.answer_messages),
    "/v1/embeddings": Way(EmbeddingRequest, v1_embeddings.embeddings),
}
"""The paths that calls come by."""
ANTHROPIC_PATHS = ("/v1/messages", "/v1/messages/count_tokens")
VENDOR_PATHS = (*(path for path in WAYS if path.startswith("/v1")), *ANTHROPIC_PATHS, "/v1/models")
"""Those that clients of vendors are pointed at."""


ROOMS = (route, v1, v1_texts, v1_responses, v1_embeddings, keys, healthz, livez, readyz, metrics)
REPORTS = (stats, stage, thompson, judge, verify, orgs, api, feedback, improve, memory)
OTHERS = (v1, v1_texts, v1_responses, v1_embeddings, metrics, healthz, livez, readyz)
"""Doors whose form is somebody else's: clients of vendors, Prometheus and whatever probes a gateway's health may send a
query that says nothing here. All the others are ours, and refuse it."""
PATHS = {one.path for room in (*ROOMS, *REPORTS) for one in room.router.routes if isinstance(one, Route)}
"""The paths that are counted apart."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; `settings` default to the environment, read when the server starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chosen = settings or load_settings()
        async with (
            open_cascade(chosen) as cascade,
            working_off(cascade.services.store, chosen),
            improving(cascade.services.store, chosen) as improver,
        ):
            app.state.cascade, app.state.improver = cascade, improver
            app.state.started_s = monotonic()
            app.state.admission = Admission(chosen.max_calls_in_flight, chosen.max_queue_ms / 1e3)
            app.state.pulse = Pulse(app.state.admission.note)
            state = app.state
            state.is_draining = False
            state.board = Board(Path(chosen.metrics_dir) if chosen.metrics_dir else None, chosen.worker)
            beating = asyncio.create_task(state.pulse.beat_for_ever())
            leaving = asyncio.create_task(
                state.board.leave_for_ever(
                    lambda: figures_of(cascade, state.admission, state.pulse, is_draining=state.is_draining)
                )
            )
            try:
                yield
            finally:
                beating.cancel()
                leaving.cancel()

    app = FastAPI(title="x25", version=version("x25"), description=DESCRIPTION, lifespan=lifespan)
    errors.install(app)
    _add_middleware(app)
    for room in (*ROOMS, *REPORTS):
        if room in OTHERS:
            app.include_router(room.router)
            continue
        refused = REFUSALS if room in REPORTS else UNKNOWN_PARTS
        app.include_router(room.router, responses=refused, dependencies=[Depends(refuse_unknown_parts)])
    return app


def _add_middleware(app: FastAPI) -> None:
    """Put what every request passes around the application; the last one added is the first to see a request."""
    app.add_middleware(ShortWay, ways=WAYS)
    app.add_middleware(BoundedBodies)
    app.add_middleware(NoLoops)
    app.add_middleware(Admitting, paths=(*WAYS, "/api/route"))
    app.add_middleware(Receipts, paths=WAYS)
    app.add_middleware(AnthropicErrors, paths=ANTHROPIC_PATHS)
    app.add_middleware(KnownPages)
    app.add_middleware(Counted, paths=PATHS)
    app.add_middleware(Addresses, paths=VENDOR_PATHS)
