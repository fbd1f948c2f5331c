"""POST /v1/chat/completions: the cascade behind the OpenAI wire format."""

import json
from collections.abc import AsyncIterator
from time import time
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse

from ...state.errors import InvalidRequest
from ...state.types import Reply
from ..deps import CascadeDep, KeyDep, org_of_call
from ..schemas import ChatRequest
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
    reply = await cascade.route(
        {
            **body.x25.model_dump(exclude_none=True),  # type: ignore[typeddict-item]
            "messages": body.messages,
            "options": dict(body.model_extra or {}),
            "router": body.model,
            "org": org_of_call(key, body.x25.org),
        }
    )
    headers = {
        "x-x25-model": reply["model_used"],
        "x-x25-tier": reply["tier"],
        "x-x25-call-id": reply["call_id"],
    }
    if body.stream:
        wants_usage = bool((body.stream_options or {}).get("include_usage"))
        return StreamingResponse(
            _events(reply, wants_usage=wants_usage), media_type="text/event-stream", headers=headers
        )
    choice = {"index": 0, "message": reply["message"], "finish_reason": reply["finish_reason"]}
    return JSONResponse(
        {
            **_head(reply, "chat.completion"),
            "choices": [choice],
            "usage": reply["usage"],
            "x25": _receipt(reply),
        },
        headers=headers,
    )


def _head(reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply['call_id']}",
        "object": kind,
        "created": int(time()),
        "model": reply["model_used"],
        **({} if reply["service_tier"] is None else {"service_tier": reply["service_tier"]}),
    }


def _receipt(reply: Reply) -> dict[str, Any]:
    left_out = {"text", "message", "usage", "finish_reason", "service_tier", "explain"}
    return {name: value for name, value in reply.items() if name not in left_out}


async def _events(reply: Reply, *, wants_usage: bool) -> AsyncIterator[str]:
    """Replay a judged answer as chunks: tokens that were sent could not be taken back by an escalation."""
    head = _head(reply, "chat.completion.chunk")
    delta = dict(reply["message"])
    if delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(delta["tool_calls"])]
    yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reply["finish_reason"]}]}
    yield _event({**last, "x25": _receipt(reply)})
    if wants_usage:
        yield _event({**head, "choices": [], "usage": reply["usage"]})
    yield "data: [DONE]\n\n"


def _event(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
