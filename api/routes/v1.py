"""The OpenAI surface: POST /v1/chat/completions, and GET /v1/models with the names that it takes as `model`."""

import asyncio
from time import monotonic, time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...nodes.services import Services
from ...state.errors import InvalidRequest
from ..choice_streams import streamed_choices
from ..deps import CallerDep, CascadeDep, KeyDep, org_of_call
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..receipts import receipt_headers
from ..schemas import ChatRequest, ModelCard, ModelList
from ..sse import streamed
from ..surfaces.asking import Asked, begin_chat, begin_chats, reader_of, require_name
from ..surfaces.chats import ChatStream, completion_of, completion_of_all
from ..surfaces.choices import all_replies, choices_wanted, options_of_choice, summed
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
    options = dict(body.model_extra or {})
    if (count := choices_wanted(options)) > 1:
        return await _several(
            body, cascade, key, heads, [options_of_choice(options, at) for at in range(count)]
        )
    pieces = reader_of(body)
    call = await begin_chat(
        cascade, key, body, messages=body.messages, options=options, heads=heads, pieces=pieces
    )
    if body.stream:
        return await streamed(call, ChatStream(wants_usage=_wants_usage(body)), pieces)
    reply = await asyncio.shield(call)
    return JsonReply(completion_of(reply), headers=receipt_headers(reply))


async def _several(
    body: ChatRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep, options: list[dict[str, Any]]
) -> Response:
    """Return one answer for each of the options, as choices of one completion."""
    asked = [Asked(body.messages, one, reader_of(body)) for one in options]
    calls = await begin_chats(cascade, key, body, asked, heads)
    if body.stream:
        first = calls[0].get_name()
        dialects = [ChatStream(wants_usage=False, index=at, call_id=first) for at in range(len(calls))]
        readers = [one.pieces for one in asked]
        return await streamed_choices(calls, dialects, readers, wants_usage=_wants_usage(body))
    replies = await all_replies(calls)
    return JsonReply(completion_of_all(replies), headers=receipt_headers(summed(replies)))


def _wants_usage(body: ChatRequest) -> bool:
    return body.stream_options is not None and bool(body.stream_options.include_usage)


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
