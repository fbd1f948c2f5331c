"""The answer to POST /v1/messages in Anthropic's form, whole or as events, and its errors."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...providers.deltas import Ending, Source
from ...state.types import JSONObject, Reply
from ..encoding import to_json
from ..pieces import Piece
from ..receipts import provisional, receipt
from ..sse import event
from .draft import Draft, Part, Step
from .words import ToolCall, calls_of, text_of

_FINISH_TO_STOP = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
STATUS_TO_KIND = {
    401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error",
    504: "timeout_error",
}  # fmt: skip
_START, _BODY = "http.response.start", "http.response.body"


def message_of(reply: Reply) -> JSONObject:
    """Return the reply as a message."""
    return {
        **_frame(reply["call_id"], reply["model_used"]),
        "content": list(_blocks(reply)),
        "stop_reason": _stop_reason(reply["message"], reply["finish_reason"]),
        "usage": _usage(reply["usage"]),
        "x25": receipt(reply),
    }


class MessageStream:
    """A `Dialect`: a block of the content for each part of the answer.

    Parameters
    ----------
    model
        The name that was asked for: it is told while nobody knows who answers.
    """

    def __init__(self, call_id: str, model: str) -> None:
        self._call_id = call_id
        self._model = model
        self._draft = Draft()

    def begin(self, source: Source | None) -> Sequence[bytes]:
        """Say that it has begun."""
        frame = _frame(self._call_id, self._model if source is None else source.model_id)
        message = {**frame, "content": [], "stop_reason": None, "usage": _usage({})}
        return (_event("message_start", message=message), _event("ping"))

    def take(self, source: Source, pieces: Sequence[Piece]) -> Iterator[bytes]:  # noqa: ARG002 - a dialect's signature
        """Tell pieces."""
        for piece in pieces:
            yield from self._told(self._draft.take(piece.delta))

    def close(self, source: Source, ending: Ending, reply: Reply | None) -> Iterator[bytes]:
        """Tell how an answer ended that was sent while it was written."""
        yield from self._told(self._draft.finish())
        told = provisional(source, ending) if reply is None else receipt(reply)
        yield from self._close(_stop_reason(self._draft.message(), ending.finish_reason), ending.usage, told)

    def answer(self, reply: Reply) -> Iterator[bytes]:
        """Tell a judged answer."""
        yield from self._told(self._draft.whole(_with_readable_calls(reply["message"])))
        stop = _stop_reason(reply["message"], reply["finish_reason"])
        yield from self._close(stop, reply["usage"], receipt(reply))

    def fail(self, status: int, body: JSONObject) -> Sequence[bytes]:
        """Tell what went wrong; Anthropic's clients raise it."""
        return (event(anthropic_error(status, body), "error"),)

    def _close(self, stop_reason: str, usage: JSONObject, told: JSONObject) -> Iterator[bytes]:
        ended = {"stop_reason": stop_reason, "stop_sequence": None}
        yield _event("message_delta", delta=ended, usage=_usage(usage), x25=told)
        yield _event("message_stop")

    def _told(self, steps: Iterator[Step]) -> Iterator[bytes]:
        for step in steps:
            if step.verb == "begin":
                yield _event("content_block_start", index=step.part.place, content_block=_hollow(step.part))
            elif step.verb == "end":
                yield _event("content_block_stop", index=step.part.place)
            elif step.said:
                kind, name = (
                    ("input_json_delta", "partial_json") if step.part.is_call else ("text_delta", "text")
                )
                yield _event(
                    "content_block_delta", index=step.part.place, delta={"type": kind, name: step.said}
                )


def _event(kind: str, **more: Any) -> bytes:
    return event({"type": kind, **more}, kind)


def _hollow(part: Part) -> JSONObject:
    if part.is_call:
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": {}}
    return {"type": "text", "text": ""}


def _with_readable_calls(message: JSONObject) -> JSONObject:
    """Return a message whose calls' arguments are JSON, as this dialect's clients take for granted."""
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": to_json(_input_of(call)).decode()},
        }
        for call in calls_of(message)
    ]
    return {**message, "tool_calls": calls} if calls else message


def _input_of(call: ToolCall) -> Any:
    try:
        return json.loads(call.said or "{}")
    except (ValueError, RecursionError):
        return {"input": call.said}


def _frame(call_id: str, model: str) -> JSONObject:
    return {
        "id": f"msg_{call_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "stop_sequence": None,
    }


def _blocks(reply: Reply) -> Iterator[JSONObject]:
    message = reply["message"]
    text, calls = text_of(message) or message.get("refusal") or "", calls_of(message)
    if text or not calls:
        yield {"type": "text", "text": text}
    for call in calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": _input_of(call)}


def _stop_reason(message: JSONObject, finish_reason: str | None) -> str:
    if message.get("tool_calls"):
        return "tool_use"
    if message.get("refusal"):
        return "refusal"
    return _FINISH_TO_STOP.get(finish_reason or "", "end_turn")


def _usage(usage: JSONObject) -> JSONObject:
    """Return tokens as Anthropic counts them: those read from a cache, and written to it, apart from the others."""
    details = usage.get("prompt_tokens_details") or {}
    cached, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    return {
        "input_tokens": max(0, usage.get("prompt_tokens", 0) - cached - written),
        "output_tokens": usage.get("completion_tokens", 0),
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": written,
    }


def anthropic_error(status: int, body: JSONObject) -> JSONObject:
    """Return the gateway's error body in Anthropic's shape, with its own fields beside."""
    told, other = body["error"], "invalid_request_error" if status < 500 else "api_error"
    return {"type": "error", "error": {**told, "type": STATUS_TO_KIND.get(status, other)}}


class AnthropicErrors:
    """Middleware that words every refusal on some paths in Anthropic's shape."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _rewording(send))


def _rewording(send: Send) -> Callable[[Message], Any]:
    held: list[Message] = []
    pieces_held: list[bytes] = []

    async def reword(message: Message) -> None:
        if message["type"] == _START and message["status"] >= 400:
            held.append(message)
            return
        if not held or message["type"] != _BODY:
            await send(message)
            return
        pieces_held.append(message.get("body", b""))
        if message.get("more_body"):
            return
        head, body = held[0], b"".join(pieces_held)
        with suppress(ValueError, LookupError, TypeError):  # no error of ours is left as it is
            body = to_json(anthropic_error(head["status"], json.loads(body)))
        others = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
        await send({**head, "headers": [*others, (b"content-length", b"%d" % len(body))]})
        await send({"type": _BODY, "body": body})

    return reword
