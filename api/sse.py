"""Server-sent events of a chat: a head at once, comments while the cascade works, then the judged answer in chunks."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from time import time
from typing import Any

from fastapi.responses import Response, StreamingResponse

from ..state.errors import X25Error
from ..state.types import Reply
from .errors import body_of

HEAD_AFTER_S = 0.5
"""How long a stream waits before its head: what is refused or fails by then keeps its HTTP status."""
ALIVE_EVERY_S = 5.0
"""Seconds between two comments; clients and proxies give a silent connection up after some ten."""
KEEP_ALIVE = ": keep-alive\n\n"
DONE = "data: [DONE]\n\n"
UNBUFFERED = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""For proxies that would hold comments back."""

_log = logging.getLogger(__name__)


async def streamed(call: asyncio.Task[Reply], *, wants_usage: bool) -> Response:
    """Return the answer of a call under way as a stream. The call goes on when the client has left.

    Raises
    ------
    X25Error
        What the call met before the head was sent; later it is an event of the stream.
    """
    await asyncio.wait({call}, timeout=HEAD_AFTER_S)
    headers = {**UNBUFFERED, **(receipt_headers(call.result()) if call.done() else {})}
    return StreamingResponse(
        _events(call, wants_usage=wants_usage), media_type="text/event-stream", headers=headers
    )


def receipt_headers(reply: Reply) -> dict[str, str]:
    """Return which model answered which call, and what that cost and saved in dollars, for a response's head."""
    return {
        "x-x25-model": reply["model_used"],
        "x-x25-tier": reply["tier"],
        "x-x25-call-id": reply["call_id"],
        "x-x25-cost-usd": f"{reply['cost_usd']:.9f}",
        "x-x25-judge-cost-usd": f"{reply['judge_cost_usd']:.9f}",
        "x-x25-cost-saved-usd": f"{reply['cost_saved_usd']:.9f}",
    }


def head_of(reply: Reply, kind: str) -> dict[str, Any]:
    """Return what a completion and each of its chunks begin with."""
    return {
        "id": f"chatcmpl-{reply['call_id']}",
        "object": kind,
        "created": int(time()),
        "model": reply["model_used"],
        **({} if reply["service_tier"] is None else {"service_tier": reply["service_tier"]}),
    }


def receipt(reply: Reply) -> dict[str, Any]:
    """Return the `x25` object of a completion, streamed or not: the reply without what the completion itself says.

    Of the explanation it tells what did not work for this call, and why.
    """
    left_out = {"text", "message", "usage", "finish_reason", "logprobs", "service_tier", "explain"}
    told = {name: value for name, value in reply.items() if name not in left_out}
    return {**told, "degraded": reply["explain"].get("degraded", {})}


def choice_of(reply: Reply) -> dict[str, Any]:
    """Return the one choice of a completion."""
    return {
        "index": 0,
        "message": reply["message"],
        "logprobs": reply["logprobs"],
        "finish_reason": reply["finish_reason"],
    }


async def _events(call: asyncio.Task[Reply], *, wants_usage: bool) -> AsyncIterator[str]:
    while not call.done():
        yield KEEP_ALIVE
        await asyncio.wait({call}, timeout=ALIVE_EVERY_S)
    error = call.exception() if not call.cancelled() else asyncio.CancelledError()
    if error is None:
        for chunk in _chunks(call.result(), wants_usage=wants_usage):
            yield _event(chunk)
    else:
        status, body = body_of(error)
        told = "a call failed after the head of its stream was sent (%d): %s"
        is_bug = not isinstance(error, X25Error)
        _log.warning(told, status, body["error"]["code"], exc_info=error if is_bug else None)
        yield _event(body)
    yield DONE


def _chunks(reply: Reply, *, wants_usage: bool) -> list[dict[str, Any]]:
    """Replay a judged answer as chunks: tokens that were sent could not be taken back by an escalation."""
    head = head_of(reply, "chat.completion.chunk")
    delta = dict(reply["message"])
    if delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(delta["tool_calls"])]
    first = {"index": 0, "delta": delta, "logprobs": reply["logprobs"], "finish_reason": None}
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply["finish_reason"]}
    chunks = [
        {**head, "choices": [first]},
        {**head, "choices": [last], "x25": receipt(reply)},
    ]
    return [*chunks, {**head, "choices": [], "usage": reply["usage"]}] if wants_usage else chunks


def _event(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
