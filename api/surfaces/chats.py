"""The answer to POST /v1/chat/completions: a completion, or the chunks that build it up."""

from collections.abc import Iterator, Sequence
from time import time
from typing import Any

from ...providers.deltas import Ending, Source
from ...state.types import JSONObject, Reply
from ..pieces import Piece
from ..receipts import provisional, receipt
from ..sse import DONE, event

_CHUNK = "chat.completion.chunk"


def completion_of(reply: Reply) -> JSONObject:
    """Return the reply as a completion."""
    choice = {
        "index": 0,
        "message": reply["message"],
        "logprobs": reply["logprobs"],
        "finish_reason": reply["finish_reason"],
    }
    head = _head_of(reply, "chat.completion")
    return {**head, "choices": [choice], "usage": reply["usage"], "x25": receipt(reply)}


class ChatStream:
    """A `Dialect`: one chunk a piece.

    Parameters
    ----------
    wants_usage
        Whether a last chunk tells the tokens.
    """

    def __init__(self, *, wants_usage: bool) -> None:
        self._wants_usage = wants_usage
        self._head: JSONObject = {}

    def begin(self, source: Source | None) -> Sequence[bytes]:  # noqa: ARG002 - a dialect's signature
        """Say nothing: the first chunk says whose words they are."""
        return ()

    def take(self, source: Source, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """Tell pieces; the first also has the role."""
        for piece in pieces:
            role = {} if self._head else {"role": "assistant"}
            yield event(self._chunk(source, {**role, **piece.delta}, piece.logprobs))

    def close(self, source: Source, ending: Ending, reply: Reply | None) -> Iterator[bytes]:
        """Tell why the answer ended, with the receipt; and the tokens where they were asked for."""
        told = provisional(source, ending) if reply is None else receipt(reply)
        tier = {} if ending.service_tier is None else {"service_tier": ending.service_tier}
        last = self._chunk(source, {}, None, ending.finish_reason)
        yield event({**last, **tier, "x25": told})
        if self._wants_usage:
            yield event({**self._head, "choices": [], "usage": ending.usage})
        yield DONE

    def answer(self, reply: Reply) -> Iterator[bytes]:
        """Tell a judged answer in one chunk."""
        head = _head_of(reply, _CHUNK)
        first = {"index": 0, "delta": _as_delta(reply["message"]), "logprobs": reply["logprobs"]}
        last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply["finish_reason"]}
        yield event({**head, "choices": [{**first, "finish_reason": None}]})
        yield event({**head, "choices": [last], "x25": receipt(reply)})
        if self._wants_usage:
            yield event({**head, "choices": [], "usage": reply["usage"]})
        yield DONE

    def fail(self, status: int, body: JSONObject) -> Sequence[bytes]:  # noqa: ARG002 - a dialect's signature
        """Tell what went wrong; OpenAI's clients raise it."""
        return (event(body),)

    def _chunk(
        self, source: Source, delta: JSONObject, logprobs: JSONObject | None, finish_reason: str | None = None
    ) -> JSONObject:
        if not self._head:
            self._head = _head(source.call_id, source.model_id, _CHUNK)
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return {**self._head, "choices": [choice]}


def _head_of(reply: Reply, kind: str) -> JSONObject:
    """Return what a completion and each of its chunks begin with."""
    tier = {} if reply["service_tier"] is None else {"service_tier": reply["service_tier"]}
    return {**_head(reply["call_id"], reply["model_used"], kind), **tier}


def _head(call_id: str, model: str, kind: str) -> JSONObject:
    return {"id": f"chatcmpl-{call_id}", "object": kind, "created": int(time()), "model": model}


def _as_delta(message: dict[str, Any]) -> JSONObject:
    delta = dict(message)
    if delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(delta["tool_calls"])]
    return delta
