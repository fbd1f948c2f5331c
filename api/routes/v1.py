"""The OpenAI surface: POST /v1/chat/completions, and GET /v1/models with the names that it takes as `model`."""

import asyncio
from collections.abc import Collection
from time import monotonic, time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ...nodes.services import Services
from ...state.errors import InvalidRequest, ModelNotFound
from ..deps import CallerDep, CascadeDep, KeyDep, org_of_call
from ..schemas import ChatRequest, ModelCard, ModelList, Wishes
from ..sse import choice_of, head_of, receipt, receipt_headers, streamed
from .route import PROBLEMS

router = APIRouter(tags=["openai"])

MOST_QUOTED = 200
"""How much of a name that nobody knows is repeated, characters."""


@router.post("/v1/chat/completions", responses=PROBLEMS, summary="Chat, OpenAI compatible")
async def chat_completions(body: ChatRequest, cascade: CascadeDep, key: CallerDep) -> Response:
    """Route a chat; only `model` and `messages` are needed. The reply's `x25` object explains the choice."""
    model = "auto" if body.model is None else body.model
    _require_name(model, cascade.services.routers)
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest("stream_options needs stream: true", field="stream_options")
    wishes = body.x25 or Wishes()
    call = cascade.begin(
        {
            **wishes.model_dump(exclude_none=True),  # type: ignore[typeddict-item]
            "messages": body.messages,
            "options": dict(body.model_extra or {}),
            "router": model,
            "org": org_of_call(key, wishes.org),
        }
    )
    if body.stream:
        wants_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        return await streamed(call, wants_usage=wants_usage)
    reply = await asyncio.shield(call)
    return JSONResponse(
        {
            **head_of(reply, "chat.completion"),
            "choices": [choice_of(reply)],
            "usage": reply["usage"],
            "x25": receipt(reply),
        },
        headers=receipt_headers(reply),
    )


@router.get("/v1/models", summary="Names that `model` may have")
async def list_models(request: Request, cascade: CascadeDep, key: KeyDep) -> ModelList:  # noqa: ARG001 - a wrong key is refused
    """List the router configs, then every model that can be reached here, by id and by alias."""
    return ModelList(data=_cards(cascade.services, request.app.state.started_s))


@router.get(
    "/v1/models/{model:path}",
    summary="One of these names",
    responses={status: PROBLEMS[status] for status in (401, 404, 422)},
)
async def get_model(model: str, request: Request, cascade: CascadeDep, key: KeyDep) -> ModelCard:  # noqa: ARG001
    """Return what stands behind a name."""
    _require_name(model, cascade.services.routers)
    cards = _cards(cascade.services, request.app.state.started_s)
    return next(card for card in cards if card.id == model)


def _cards(services: Services, started_s: float) -> list[ModelCard]:
    created = int(time() - (monotonic() - started_s))
    name_to_owner = {
        name: spec.provider for spec in services.models.values() for name in (spec.model_id, *spec.aliases)
    }
    return [
        ModelCard(
            id=name, created=created, owned_by=name_to_owner.get(name, "x25"), description=config.description
        )
        for name, config in sorted(services.routers.items(), key=lambda item: item[0] in name_to_owner)
    ]


def _require_name(model: str, known: Collection[str]) -> None:
    if model not in known:
        raise ModelNotFound(f"there is no model {model[:MOST_QUOTED]!r} here; known: {', '.join(known)}")
