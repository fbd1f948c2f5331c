"""The one gate for what vendors answer: a chat completion of known types and bounded size, or a named failure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...state.errors import ContentFiltered, ProviderError, ProviderMalformed, ProviderServer
from ...state.types import JSONObject, Logprobs
from ...state.usage import Usage
from .logprobs import logprobs_of

MAX_TOOL_CALLS = 256
_NAME_CHARS = 200
_FINISH_REASONS = {
    "stop": "stop", "end_turn": "stop", "stop_sequence": "stop", "eos": "stop", "eos_token": "stop",
    "complete": "stop", "completed": "stop",
    "length": "length", "max_tokens": "length", "max_output_tokens": "length", "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "tool_calls", "tool_call": "tool_calls", "tool_use": "tool_calls",
    "function_call": "function_call",
    "content_filter": "content_filter", "content_filtered": "content_filter", "safety": "content_filter",
    "recitation": "content_filter", "prohibited_content": "content_filter", "blocklist": "content_filter",
    "spii": "content_filter", "image_safety": "content_filter",
    "sensitive": "content_filter", "refusal": "content_filter",
    "guardrail_intervened": "content_filter",
}  # fmt: skip
"""OpenAI's word for the reasons of vendors, in lower case."""
_BROKEN_OFF = re.compile(
    r"error|fail|abort|cancel|time_?d?_?out|malformed|unexpected|invalid|interrupt|insufficient|overload|unavailable"
    r"|exhausted|network|missing"
)
"""Reasons that are failures, in lower case; any other word that is not known ends an answer as "stop" does."""
_PARTS_WITH_AN_OBJECT = ("image_url", "input_audio", "file")
_FLAT = ("name", "arguments")
NO_ARGUMENTS = frozenset({"", "null", "{}"})
"""What vendors write where a call has no arguments."""
_THINKING_PARTS = frozenset({"thinking", "redacted_thinking", "reasoning"})


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A completion as every part of the router may rely on it."""

    message: JSONObject
    """An OpenAI assistant message: `content` a text, null or parts with a type; `tool_calls` with ids, names and
    arguments as text. Everything else of it is as the vendor sent it."""
    finish_reason: str
    """"stop", "length", "tool_calls" or "function_call"."""
    usage: Usage | None
    """None when the vendor did not say: the cost is then unknown, not zero."""
    model: str | None
    service_tier: str | None
    logprobs: Logprobs | None = None
    """Where the request asked for them."""


def chat_reply(payload: Any, deployment: str, options: Mapping[str, Any]) -> ChatReply:
    """Return the completion in a vendor's parsed answer.

    Parameters
    ----------
    options
        Of the request: legacy function calls stay as they are only for those who asked in the legacy way, and
        probabilities of tokens are read for those who asked for them.

    Raises
    ------
    ProviderError
        `ProviderMalformed` when it is none; `ContentFiltered` and `ProviderServer` when the answer was broken off;
        `Unsupported` when it lacks probabilities of tokens that were asked for.
        What was billed all the same is in their `usage`.
    """
    if not isinstance(payload, dict):
        raise ProviderMalformed(
            f"{deployment} answered 200 with {type(payload).__name__} instead of an object"
        )
    usage = Usage.from_openai(usage_in(payload))
    try:
        return _read(payload, deployment, options, usage)
    except ProviderError as error:
        error.usage = usage
        raise


def usage_in(payload: JSONObject) -> Any:
    """Return what a completion, or a chunk of one, says of its tokens; None where it does not.

    Moonshot's streams say it in the choice, Groq's under a name of its own.
    """
    if told := payload.get("usage"):
        return told
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    for place in (choice, payload.get("x_groq")):
        if isinstance(place, dict) and (told := place.get("usage")):
            return told
    return None


def _read(payload: JSONObject, deployment: str, options: Mapping[str, Any], usage: Usage | None) -> ChatReply:
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise ProviderMalformed(f"{deployment} answered 200 without a choice that holds a message")
    message = _message(choice["message"], deployment, is_legacy=bool(options.get("functions")))
    reason = _finish_reason(choice.get("finish_reason"), message, deployment)
    return ChatReply(
        message=message,
        finish_reason=reason,
        usage=usage,
        model=_short_text(payload.get("model")),
        service_tier=_short_text(payload.get("service_tier")),
        logprobs=logprobs_of(choice, message, options, deployment),
    )


def _finish_reason(given: Any, message: JSONObject, deployment: str) -> str:
    word = given.lower() if isinstance(given, str) else None
    reason = None if word is None else _FINISH_REASONS.get(word)
    if reason == "content_filter":
        raise ContentFiltered(f"{deployment} stopped the answer by its own moderation")
    has_answer = bool(message["content"] or message.get("tool_calls") or message.get("function_call"))
    is_silent = given is None or (word is not None and reason is None and _BROKEN_OFF.search(word) is None)
    if is_silent and has_answer:
        reason = "stop"  # a whole answer whose vendor does not say why it ended, or in a word of its own
    if reason is None:
        # "error", "network_error", "insufficient_system_resource": the answer was broken off.
        name = (
            _short_text(given) if isinstance(given, str) else given if given is None else type(given).__name__
        )
        failed = ProviderServer(f"{deployment} broke the answer off: finish_reason {name!r}")
        failed.may_have_billed = True
        raise failed
    if message.get("tool_calls") and reason == "stop":
        return "tool_calls"
    if reason in ("tool_calls", "function_call") and not (
        message.get("tool_calls") or message.get("function_call")
    ):
        return "stop"  # a client would look for calls that are not there
    return reason


def _message(given: JSONObject, deployment: str, *, is_legacy: bool) -> JSONObject:
    """Return a vendor's assistant message in OpenAI's form."""
    message = {key: value for key, value in given.items() if value is not None}
    message["role"] = "assistant"
    message["content"] = _content(given.get("content"), deployment)
    if not isinstance(given.get("refusal"), str):
        message.pop("refusal", None)
    calls = _tool_calls(given.get("tool_calls"), deployment)
    legacy = given.get("function_call")
    if legacy is not None and not calls:
        call = _tool_call({"function": legacy}, 0, deployment)
        if is_legacy:
            message["function_call"] = call["function"]
        else:
            message.pop("function_call")
            calls = [call]
    if calls:
        message["tool_calls"] = calls
    else:
        message.pop("tool_calls", None)
    return message


def _content(content: Any, deployment: str) -> str | list[JSONObject] | None:
    """Return a text, or parts where some are no text."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise ProviderMalformed(f"{deployment}: message.content is {type(content).__name__}")
    parts = [_part(part, deployment) for part in content]
    # What a model thought on the way is no part of its answer.
    shown = [part for part in parts if part["type"] not in _THINKING_PARTS]
    if all(part["type"] in ("text", "output_text") for part in shown):
        return "".join(part["text"] for part in shown)
    return shown


def _part(part: Any, deployment: str) -> JSONObject:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise ProviderMalformed(f"{deployment}: a part of message.content has no type")
    if part["type"] in _PARTS_WITH_AN_OBJECT and not isinstance(part.get(part["type"]), dict):
        raise ProviderMalformed(f"{deployment}: a part of message.content is a {part['type']} without one")
    text = part.get("text")
    if part["type"] not in ("text", "output_text") and text is None:
        return part
    if text is not None and not isinstance(text, str):
        raise ProviderMalformed(
            f"{deployment}: a part of message.content holds {type(text).__name__} as text"
        )
    return {**part, "text": text or ""}


def _tool_calls(given: Any, deployment: str) -> list[JSONObject]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MAX_TOOL_CALLS:
        raise ProviderMalformed(f"{deployment}: tool_calls is no list of at most {MAX_TOOL_CALLS} calls")
    calls = [_tool_call(call, place, deployment) for place, call in enumerate(given)]
    seen: set[str] = set()
    for place, call in enumerate(calls):
        if call["id"] in seen:  # two calls under one id could not be answered apart
            call["id"] = f"{call['id']}_{place}"
        seen.add(call["id"])
    return calls


def _tool_call(given: Any, place: int, deployment: str) -> JSONObject:
    """Return one call with an id, a name, and its arguments as text; its place in the list says the order."""
    kind = "custom" if isinstance(given, dict) and isinstance(given.get("custom"), dict) else "function"
    called = given.get(kind) if isinstance(given, dict) else None
    if called is None and isinstance(given, dict) and "name" in given:
        # Without the object around name and arguments.
        called = {key: given[key] for key in _FLAT if key in given}
        given = {key: value for key, value in given.items() if key not in _FLAT}
    name = called.get("name") if isinstance(called, dict) else None
    if not isinstance(called, dict) or not isinstance(name, str) or not name:
        raise ProviderMalformed(f"{deployment}: tool_calls[{place}] names no {kind}")
    key = "input" if kind == "custom" else "arguments"
    rest = {name: value for name, value in given.items() if name not in ("index", "id", "type", kind)}
    named = given.get("id")
    return {
        "id": named if isinstance(named, str) and named else f"call_{place}",
        "type": kind,
        kind: {**called, "name": name, key: _written(called.get(key), kind)},
        **rest,
    }


def _written(arguments: Any, kind: str) -> str:
    if arguments is None or (isinstance(arguments, str) and arguments.strip() in NO_ARGUMENTS):
        # Nothing at all is no JSON that a client could read, and null no object.
        return "{}" if kind == "function" else arguments or ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _short_text(value: Any) -> str | None:
    return value[:_NAME_CHARS] if isinstance(value, str) and value else None
