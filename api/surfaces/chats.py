"""The answer to POST /v1/chat/completions: a completion, or the chunks that build it up."""

from collections.abc import Iterator, Sequence
from time import time
from typing import Any

from ...providers.deltas import Ending, Source
from ...state.types import JSONObject, Reply
from ..pieces import Piece
from ..receipts import provisional, receipt
from ..sse import DONE, event
from .choices import receipt_of_all, summed_usage

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
    return {**head, "choices": [choice], "usage": reply["usage"] or None, "x25": receipt(reply)}


def completion_of_all(replies: Sequence[Reply]) -> JSONObject:
    """Return several replies as the choices of one completion."""
    whole = completion_of(replies[0])
    choices = [{**completion_of(reply)["choices"][0], "index": place} for place, reply in enumerate(replies)]
    usage = summed_usage([reply["usage"] for reply in replies])
    return {**whole, "choices": choices, "usage": usage, "x25": receipt_of_all(replies)}


class ChatStream:
    """A `Dialect`: one chunk a piece.

    Parameters
    ----------
    wants_usage
        Whether a last chunk tells the tokens.
    index
        Which of several choices it is.
    call_id
        Of the first of them: chunks of all go by one id.
    """

    def __init__(self, *, wants_usage: bool, index: int = 0, call_id: str | None = None) -> None:
        self._wants_usage = wants_usage
        self._index = index
        self._call_id = call_id
        self._head: JSONObject = {}
        self.usage: JSONObject | None = None
        """The tokens, once it has ended."""

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
        self.usage = ending.usage
        if self._wants_usage:
            yield event({**self._head, "choices": [], "usage": ending.usage or None})
        yield DONE

    def answer(self, reply: Reply) -> Iterator[bytes]:
        """Tell a judged answer in one chunk."""
        head = self._head = self._named(_head_of(reply, _CHUNK))
        first = {"index": self._index, "delta": _as_delta(reply["message"]), "logprobs": reply["logprobs"]}
        last = {"index": self._index, "delta": {}, "logprobs": None, "finish_reason": reply["finish_reason"]}
        self.usage = reply["usage"]
        yield event({**head, "choices": [{**first, "finish_reason": None}]})
        yield event({**head, "choices": [last], "x25": receipt(reply)})
        if self._wants_usage:
            yield event({**head, "choices": [], "usage": reply["usage"] or None})
        yield DONE

    def fail(self, status: int, body: JSONObject) -> Sequence[bytes]:  # noqa: ARG002 - a dialect's signature
        """Tell what went wrong; OpenAI's clients raise it."""
        return (event(body),)

    def total(self, usage: JSONObject | None) -> bytes:
        """Return the chunk that tells the tokens of all choices."""
        return event({**self._head, "choices": [], "usage": usage})

    def _named(self, head: JSONObject) -> JSONObject:
        return head if self._call_id is None else {**head, "id": _id_of(self._call_id)}

    def _chunk(
        self, source: Source, delta: JSONObject, logprobs: JSONObject | None, finish_reason: str | None = None
    ) -> JSONObject:
        if not self._head:
            self._head = self._named(_head(source.call_id, source.model_id, _CHUNK))
        choice = {"index": self._index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return {**self._head, "choices": [choice]}


def _head_of(reply: Reply, kind: str) -> JSONObject:
    """Return what a completion and each of its chunks begin with."""
    tier = {} if reply["service_tier"] is None else {"service_tier": reply["service_tier"]}
    return {**_head(reply["call_id"], reply["model_used"], kind), **tier}


def _head(call_id: str, model: str, kind: str) -> JSONObject:
    return {"id": _id_of(call_id), "object": kind, "created": int(time()), "model": model}


def _id_of(call_id: str) -> str:
    return f"chatcmpl-{call_id}"


def _as_delta(message: dict[str, Any]) -> JSONObject:
    delta = dict(message)
    if delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(delta["tool_calls"])]
    return delta
