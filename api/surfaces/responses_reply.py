"""The answer to POST /v1/responses: one object, or the events that build it up in OpenAI's documented order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from time import time
from typing import Any

from ...providers.deltas import Ending, Source
from ...state.types import JSONObject, Reply
from ..pieces import Piece
from ..receipts import provisional, receipt
from ..sse import event
from .draft import Draft, Part, Step
from .namespaces import Names, named, names_of
from .responses_request import ResponseRequest

_UNFINISHED = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is incomplete, by how a chat says so."""
RESPONSE, MESSAGE = "resp_", "msg_"
UNSTORED = "resp_unstored_"
"""Of a response that is not to be gone on from: no call goes by what follows `RESPONSE` in it."""
KIND_TO_PREFIX = {"function": "fc_", "custom": "ctc_"}
_KIND_TO_EVENT = {"function": "function_call_arguments", "custom": "custom_tool_call_input"}


@dataclass(frozen=True, slots=True)
class _Ended:
    """What is known of an answer once it has ended."""

    model: str
    finish_reason: str | None
    usage: JSONObject
    service_tier: str | None
    receipt: JSONObject


Kept = Callable[[JSONObject, JSONObject], None]
"""Takes a response that was told, and its answer as a chat message."""


def response_of(reply: Reply, body: ResponseRequest) -> JSONObject:
    """Return the reply as a response."""
    draft = Draft()
    for _ in draft.whole(reply["message"], reply["logprobs"]):
        pass
    return _closed(_frame(reply["call_id"], body), draft, _of_reply(reply), names_of(body.tools))


class ResponseStream:
    """A `Dialect`: an item of the output for each part of the answer.

    Parameters
    ----------
    keep
        Is given the response once it is whole, before the call is: it can be gone on from while a judge is at work.
    """

    def __init__(self, call_id: str, body: ResponseRequest, keep: Kept | None = None) -> None:
        self._frame = _frame(call_id, body)
        self._call_id = call_id
        self._keep = keep
        self._names = names_of(body.tools)
        self._draft = Draft()
        self._numbers = count()

    def begin(self, source: Source | None) -> Iterator[bytes]:
        """Say that it has begun."""
        if source is not None:
            self._frame["model"] = source.model_id
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, response=self._frame)

    def take(self, source: Source, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Tell pieces."""
        self._frame["model"] = source.model_id
        for piece in pieces:
            yield from self._told(self._draft.take(piece.delta, piece.logprobs))

    def close(self, source: Source, ending: Ending, reply: Reply | None) -> Iterator[bytes]:
        """Tell how an answer ended that was sent while it was written."""
        yield from self._told(self._draft.finish(), ending.finish_reason)
        told = provisional(source, ending) if reply is None else receipt(reply)
        yield from self._close(
            _Ended(source.model_id, ending.finish_reason, ending.usage, ending.service_tier, told)
        )

    def answer(self, reply: Reply) -> Iterator[bytes]:
        """Tell a judged answer."""
        yield from self._told(self._draft.whole(reply["message"], reply["logprobs"]), reply["finish_reason"])
        yield from self._close(_of_reply(reply))

    def fail(self, status: int, body: JSONObject) -> Iterator[bytes]:  # noqa: ARG002 - a dialect's signature
        """Tell what went wrong, and what had been said by then."""
        told = body["error"]
        code = "rate_limit_exceeded" if told["code"] == "all_models_busy" else "server_error"
        error = {"code": code, "message": told["message"]}
        output = [_item(part, self._call_id, "incomplete", self._names) for part in self._draft.parts]
        failed = {**self._frame, "status": "failed", "error": error, "output": output}
        yield self._event("response.failed", response=failed)

    def _close(self, ended: _Ended) -> Iterator[bytes]:
        whole = _closed(self._frame, self._draft, ended, self._names)
        if self._keep is not None:
            self._keep(whole, self._draft.message())
        yield self._event(f"response.{whole['status']}", response=whole)

    def _told(self, steps: Iterator[Step], finish_reason: str | None = None) -> Iterator[bytes]:
        state = _state(finish_reason)
        for step in steps:
            for kind, more in _events_of(step, self._call_id, state, self._names):
                yield self._event(kind, output_index=step.part.place, **more)

    def _event(self, kind: str, **more: Any) -> bytes:
        return event({"type": kind, **more, "sequence_number": next(self._numbers)}, kind)


def _of_reply(reply: Reply) -> _Ended:
    return _Ended(
        reply["model_used"], reply["finish_reason"], reply["usage"], reply["service_tier"], receipt(reply)
    )


def _state(finish_reason: str | None) -> str:
    return "incomplete" if finish_reason in _UNFINISHED else "completed"


def _closed(frame: JSONObject, draft: Draft, ended: _Ended, names: Names) -> JSONObject:
    """Return a response whose answer is whole, or cut off: then its last item is, too."""
    reason = _UNFINISHED.get(ended.finish_reason or "")
    call_id = frame["id"].removeprefix(UNSTORED).removeprefix(RESPONSE)
    states = ["completed"] * (len(draft.parts) - 1) + [_state(ended.finish_reason)]
    return {
        **frame,
        "status": _state(ended.finish_reason),
        "model": ended.model,
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": [
            _item(part, call_id, state, names) for part, state in zip(draft.parts, states, strict=True)
        ],
        "usage": _usage(ended.usage),
        **({} if ended.service_tier is None else {"service_tier": ended.service_tier}),
        "x25": ended.receipt,
    }


def _frame(call_id: str, body: ResponseRequest) -> JSONObject:
    """Return what a response says of its request; everything of the answer is empty."""
    said = body.model_extra or {}
    text, reasoning = body.text or {}, body.reasoning or {}
    return {
        "id": f"{RESPONSE if body.store is not False else UNSTORED}{call_id}",
        "object": "response",
        "created_at": int(time()),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": body.max_tool_calls,
        "model": body.model or "auto",
        "output": [],
        "parallel_tool_calls": said.get("parallel_tool_calls") is not False,
        "previous_response_id": body.previous_response_id,
        "prompt_cache_key": said.get("prompt_cache_key"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": None},
        "safety_identifier": said.get("safety_identifier"),
        "service_tier": said.get("service_tier") or "auto",
        "store": body.store is not False,
        "temperature": 1.0 if said.get("temperature") is None else said["temperature"],
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": body.tool_choice or "auto",
        "tools": body.tools or [],
        "top_logprobs": said.get("top_logprobs") or 0,
        "top_p": 1.0 if said.get("top_p") is None else said["top_p"],
        "truncation": "disabled",
        "usage": None,
        "user": said.get("user"),
        "metadata": body.metadata or {},
    }


def _item(part: Part, call_id: str, state: str, names: Names) -> JSONObject:
    """Return an item of the output; `state` is in_progress, completed or incomplete."""
    if not part.is_call:
        number = f"_{part.number}" if part.number else ""
        content = [] if state == "in_progress" else [_content(part)]
        return {
            "id": f"{MESSAGE}{call_id}{number}", "type": "message", "status": state, "role": "assistant",
            "content": content,
        }  # fmt: skip
    said = "" if state == "in_progress" else part.said
    item_id = f"{KIND_TO_PREFIX[part.kind]}{call_id}_{part.number}"
    head = {"id": item_id, "status": state, "call_id": part.id, **named(part.name, names)}
    if part.kind == "custom":
        return {**head, "type": "custom_tool_call", "input": said}
    return {**head, "type": "function_call", "arguments": said}


def _content(part: Part, *, is_hollow: bool = False) -> JSONObject:
    said = "" if is_hollow else part.said
    if part.kind == "refusal":
        return {"type": "refusal", "refusal": said}
    likely = [] if is_hollow else list(part.logprobs)
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": likely}


def _events_of(step: Step, call_id: str, state: str, names: Names) -> Iterator[tuple[str, JSONObject]]:
    """Yield the events of a step; `state` is that of items which end with it."""
    part = step.part
    hollow = _item(part, call_id, "in_progress", names)
    where = {"item_id": hollow["id"]}
    if step.verb == "begin":
        yield "response.output_item.added", {"item": hollow}
    told = _call_events(step, names) if part.is_call else _word_events(step)
    yield from ((kind, {**where, **more}) for kind, more in told)
    if step.verb == "end":
        yield "response.output_item.done", {"item": _item(part, call_id, state, names)}


def _call_events(step: Step, names: Names) -> Iterator[tuple[str, JSONObject]]:
    part, name = step.part, _KIND_TO_EVENT[step.part.kind]
    if step.verb == "grow":
        yield f"response.{name}.delta", {"delta": step.said}
    elif step.verb == "end" and part.kind == "custom":
        yield f"response.{name}.done", {"input": part.said}
    elif step.verb == "end":
        yield f"response.{name}.done", {"arguments": part.said, "name": named(part.name, names)["name"]}


def _word_events(step: Step) -> Iterator[tuple[str, JSONObject]]:
    part, place = step.part, {"content_index": 0}
    is_refusal = part.kind == "refusal"
    name = "response.refusal" if is_refusal else "response.output_text"
    if step.verb == "begin":
        yield "response.content_part.added", {**place, "part": _content(part, is_hollow=True)}
    elif step.verb == "grow":
        likely = {} if is_refusal else {"logprobs": list(step.logprobs)}
        yield f"{name}.delta", {**place, "delta": step.said, **likely}
    else:
        told = {"refusal": part.said} if is_refusal else {"text": part.said, "logprobs": list(part.logprobs)}
        yield f"{name}.done", {**place, **told}
        yield "response.content_part.done", {**place, "part": _content(part)}


def _usage(usage: JSONObject) -> JSONObject | None:
    if not usage:
        return None
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input_tokens": usage.get("prompt_tokens", 0),
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": usage.get("completion_tokens", 0),
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": usage.get("total_tokens", 0),
    }
