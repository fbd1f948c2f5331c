"""POST /v1/chat/completions: the cascade behind the OpenAI wire format."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from ...state.errors import InvalidRequest
from ..deps import CascadeDep, KeyDep, org_of_call
from ..schemas import ChatRequest
from ..sse import head_of, receipt, receipt_headers, streamed
from .route import PROBLEMS

router = APIRouter(tags=["openai"])


@router.post("/v1/chat/completions", responses=PROBLEMS, summary="Chat, OpenAI compatible")
async def chat_completions(body: ChatRequest, cascade: CascadeDep, key: KeyDep) -> Response:
    """Route a chat; only `model` and `messages` are needed. The reply's `x25` object explains the choice."""
    known = cascade.services.routers
    if body.model not in known:
        raise InvalidRequest(
            f"model must be one of {', '.join(sorted(known))}; got {body.model!r}", field="model"
        )
    call = cascade.begin(
        {
            **body.x25.model_dump(exclude_none=True),  # type: ignore[typeddict-item]
            "messages": body.messages,
            "options": dict(body.model_extra or {}),
            "router": body.model,
            "org": org_of_call(key, body.x25.org),
        }
    )
    if body.stream:
        return await streamed(call, wants_usage=bool((body.stream_options or {}).get("include_usage")))
    reply = await asyncio.shield(call)
    choice = {"index": 0, "message": reply["message"], "finish_reason": reply["finish_reason"]}
    return JSONResponse(
        {
            **head_of(reply, "chat.completion"),
            "choices": [choice],
            "usage": reply["usage"],
            "x25": receipt(reply),
        },
        headers=receipt_headers(reply),
    )
