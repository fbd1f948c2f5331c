"""The OpenAI surface: POST /v1/chat/completions, and GET /v1/models with the names that it takes as `model`."""

import asyncio
from time import monotonic, time

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...nodes.services import Services
from ...state.errors import InvalidRequest
from ..deps import CallerDep, CascadeDep, KeyDep, org_of_call
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..receipts import receipt_headers
from ..schemas import ChatRequest, ModelCard, ModelList
from ..sse import streamed
from ..surfaces.asking import begin_chat, reader_of, require_name
from ..surfaces.chats import ChatStream, completion_of
from ..surfaces.embeddings import MODEL as EMBEDDER
from .route import PROBLEMS

router = APIRouter(tags=["openai"])


@router.post("/v1/chat/completions", responses=PROBLEMS, summary="Chat, OpenAI compatible")
async def chat_completions(
    body: ChatRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep
) -> Response:
    """Route a chat; only `model` and `messages` are needed. The reply's `x25` object explains the choice."""
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest("stream_options needs stream: true", field="stream_options")
    pieces = reader_of(body)
    options = body.model_extra or {}
    call = await begin_chat(
        cascade, key, body, messages=body.messages, options=options, heads=heads, pieces=pieces
    )
    if body.stream:
        wants_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        return await streamed(call, ChatStream(wants_usage=wants_usage), pieces)
    reply = await asyncio.shield(call)
    return JsonReply(completion_of(reply), headers=receipt_headers(reply))


@router.head("/v1/chat/completions", status_code=204, summary="Whether chats are answered here")
async def probe_chat(key: KeyDep) -> None:
    """Say that they are; nothing is asked and nothing spent."""


@router.get("/v1/models", summary="Names that `model` may have")
async def list_models(request: Request, cascade: CascadeDep, key: KeyDep) -> ModelList:
    """List the router configs, then every model that the org can reach here, by id and by alias."""
    return ModelList(data=_cards(cascade.services, org_of_call(key, None), request.app.state.started_s))


@router.get(
    "/v1/models/{model:path}",
    summary="One of these names",
    responses={status: PROBLEMS[status] for status in (401, 404, 422)},
)
async def get_model(model: str, request: Request, cascade: CascadeDep, key: KeyDep) -> ModelCard:
    """Return what stands behind a name."""
    org = org_of_call(key, None)
    require_name(model, (*cascade.services.routers_of(org), EMBEDDER))
    cards = _cards(cascade.services, org, request.app.state.started_s)
    return next(card for card in cards if card.id == model)


def _cards(services: Services, org: str, started_s: float) -> list[ModelCard]:
    created = int(time() - (monotonic() - started_s))
    name_to_owner = {
        name: spec.provider
        for spec in services.models_of(org).values()
        for name in (spec.model_id, *spec.aliases)
    }
    own = ModelCard(
        id=EMBEDDER, created=created, owned_by="x25", description="Embeddings alone: POST /v1/embeddings."
    )
    listed = sorted(services.routers_of(org).items(), key=lambda item: item[0] in name_to_owner)
    cards = [
        ModelCard(
            id=name, created=created, owned_by=name_to_owner.get(name, "x25"), description=config.description
        )
        for name, config in listed
    ]
    return [*cards, own]
