"""The one place where a request takes the form that vendors understand."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from ...state.types import JSONObject
from .parts import usual_parts

REASONING_FIELDS = ("reasoning_details", "reasoning_content", "reasoning", "thinking_blocks")
"""Where vendors put what a model thought: signed or in a form of its own, and refused by every other one."""
_REASONING_PARTS = frozenset({"thinking", "redacted_thinking", "reasoning"})
_OF_A_CALL = frozenset({"id", "type", "function", "custom", "index"})
_MOST_ORIGINS = 20_000


class ReasoningOrigins:
    """Which model thought what, so that its thoughts go back to it and to nobody else; one process, digests alone."""

    def __init__(self, most: int = _MOST_ORIGINS) -> None:
        self._most = most
        self._model_of: OrderedDict[bytes, str] = OrderedDict()

    def note(self, message: Mapping[str, Any], model_id: str) -> None:
        """Remember whose thoughts an answer holds."""
        for thought in (*(thought for _, thought in _thoughts(message)), *_signatures(message)):
            self._model_of[_digest(thought)] = model_id
        while len(self._model_of) > self._most:
            self._model_of.popitem(last=False)

    def is_another(self, thought: Any, model_id: str) -> bool:
        """Return whether it is known to be another model's."""
        return self._model_of.get(_digest(thought), model_id) != model_id

    def has(self, thought: Any, model_id: str) -> bool:
        """Return whether it is known to be this model's."""
        return self._model_of.get(_digest(thought)) == model_id


def messages_for(
    messages: Sequence[JSONObject], model_id: str, origins: ReasoningOrigins
) -> list[JSONObject]:
    """Return a conversation as one model may be sent it: without the thoughts of others, tool arguments as text."""
    return [_message(message, model_id, origins) for message in messages]


def _message(message: JSONObject, model_id: str, origins: ReasoningOrigins) -> JSONObject:
    if isinstance(content := message.get("content"), list):
        message = {**message, "content": usual_parts(content)}
    if message.get("role") != "assistant":
        return message
    foreign = {name for name, thought in _thoughts(message) if not origins.has(thought, model_id)}
    # Clients send back what an answer had: some vendors refuse fields of theirs that say nothing.
    kept = {
        name: value
        for name, value in message.items()
        if name not in foreign and (name == "content" or value not in (None, []))
    }
    if "content" in foreign:
        kept["content"] = [part for part in message["content"] if not _is_thinking(part)] or None
    calls = message.get("tool_calls")
    if calls and isinstance(calls, list):
        kept["tool_calls"] = [_unsigned(_with_text_arguments(call), model_id, origins) for call in calls]
    return kept


def _with_text_arguments(call: Any) -> Any:
    called = call.get("function") if isinstance(call, dict) else None
    if not isinstance(called, dict):
        return call
    arguments = called.get("arguments")
    if isinstance(arguments, str) and arguments.strip():
        return call
    text = "{}" if not arguments or isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {**call, "function": {**called, "arguments": text}}


def _unsigned(call: Any, model_id: str, origins: ReasoningOrigins) -> Any:
    """Return a call without what another model's vendor noted on it: no other one knows it."""
    if not isinstance(call, dict):
        return call
    return {
        name: value
        for name, value in call.items()
        if name in _OF_A_CALL or not origins.is_another([name, value], model_id)
    }


def _signatures(message: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a vendor noted on the calls of a message, such as a signature of the thought before it."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield from ([name, value] for name, value in call.items() if name not in _OF_A_CALL)


def _thoughts(message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a message that hold what its model thought, with the thoughts."""
    for name in REASONING_FIELDS:
        if message.get(name):
            yield name, message[name]
    content = message.get("content")
    if isinstance(content, list) and (thinking := [part for part in content if _is_thinking(part)]):
        yield "content", thinking


def _is_thinking(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _REASONING_PARTS


def _digest(thought: Any) -> bytes:
    return sha256(json.dumps(thought, sort_keys=True, default=str).encode("utf-8", "replace")).digest()[:16]
