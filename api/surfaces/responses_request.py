"""A request of POST /v1/responses, and what it says in the words of a chat."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ...state.errors import InvalidRequest
from ...state.types import JSONObject
from ..schemas import Steered, StreamOptions
from .namespaces import one_name
from .response_tools import tool_choice_of, tools_of
from .words import word_of

INCLUDABLE = (
    "message.output_text.logprobs", "reasoning.encrypted_content", "message.input_image.image_url",
    "computer_call_output.output.image_url", "file_search_call.results", "web_search_call.results",
    "web_search_call.action.sources", "code_interpreter_call.outputs",
)  # fmt: skip
"""Beside the first there is nothing to include: thoughts stay between a model and its vendor, and no tool is run."""
_SUMMARIES = ("auto", "concise", "detailed")
_OF_NO_USE = frozenset({"reasoning", "web_search_call"})
"""Items that tell a model nothing: thoughts that were not given out, and that somebody else's model searched."""
_PASSED_ON = (
    "temperature", "top_p", "parallel_tool_calls", "service_tier", "user", "safety_identifier", "prompt_cache_key",
    "prompt_cache_retention", "seed", "stop", "frequency_penalty", "presence_penalty", "top_logprobs",
)  # fmt: skip
"""Parameters of the same name and meaning in chats; their values are checked there."""
Earlier = Callable[[str], JSONObject | None]
"""Returns the item of an earlier answer that goes by an id, as a chat message; None where it is not known."""


class ResponseRequest(Steered):
    """An OpenAI response request. What it cannot honour it refuses by name."""

    model_config = ConfigDict(extra="allow")

    input: Any = Field(description="A text, or a list of items: messages, function calls and their outputs.")
    instructions: str | None = Field(None, description="System message of this call alone.")
    previous_response_id: str | None = Field(
        None, max_length=128, description="Goes on from a response that is kept."
    )
    store: bool | None = Field(
        None,
        description="false: the response is not kept, and nothing of the call's words is. Default true: "
        "X25_RESPONSES_KEPT_S seconds in the process, or X25_RESPONSES_DAYS days in the store, where words are kept.",
    )
    tools: list[dict[str, Any]] | None = Field(
        None, description="Functions and custom tools that the caller runs, also in namespaces."
    )
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = Field(None, description="format and verbosity of the answer.")
    reasoning: dict[str, Any] | None = Field(
        None, description="effort; a summary may be asked for, and none is had."
    )
    max_output_tokens: int | None = Field(None, ge=1, lt=2**31)
    max_tool_calls: int | None = Field(
        None, ge=1, description="Bounds tools that a vendor runs; there are none."
    )
    metadata: dict[str, str] | None = Field(None, description="Given back with the answer.")
    client_metadata: dict[str, Any] | None = Field(
        None, description="What a client notes for itself: without effect, and not passed on."
    )
    include: list[str] | None = Field(None, description=f"Some of {', '.join(INCLUDABLE)}.")
    truncation: Literal["disabled"] | None = None
    background: Literal[False] | None = None
    stream_options: StreamOptions | None = Field(None, description="Needs `stream`.")


def options_of(body: ResponseRequest) -> dict[str, Any]:
    """Return the chat parameters of a request.

    Raises
    ------
    InvalidRequest
        Naming what cannot be honoured.
    """
    for name, value in (body.model_extra or {}).items():
        if value is not None and name not in _PASSED_ON:
            raise InvalidRequest(f"{name} is no parameter of /v1/responses that is honoured here", field=name)
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest("stream_options needs stream: true", field="stream_options")
    for name in body.include or ():
        if name not in INCLUDABLE:
            raise InvalidRequest(f"include must be some of {', '.join(INCLUDABLE)}", field="include")
    options = {name: value for name, value in (body.model_extra or {}).items() if value is not None}
    found = {
        "max_completion_tokens": body.max_output_tokens,
        "store": None if body.store is not False else False,
        "tools": tools_of(body.tools or ()) or None,
        "tool_choice": tool_choice_of(body.tool_choice),
        **_of_text(body.text or {}),
        **_of_reasoning(body.reasoning or {}),
    }
    if INCLUDABLE[0] in (body.include or ()) or options.get("top_logprobs"):
        found["logprobs"] = True
    return options | {name: value for name, value in found.items() if value is not None}


def _of_text(text: Mapping[str, Any]) -> dict[str, Any]:
    _only(text, ("format", "verbosity"), "text")
    wanted = text.get("format")
    if wanted is None:
        return {"verbosity": text.get("verbosity")}
    if not isinstance(wanted, Mapping):
        raise InvalidRequest("text.format must be an object", field="text.format")
    kind = word_of(wanted)
    if kind not in {"text", "json_object", "json_schema"}:
        raise InvalidRequest(
            "text.format.type must be text, json_object or json_schema", field="text.format.type"
        )
    told = {name: value for name, value in wanted.items() if name != "type" and value is not None}
    formed = {"type": kind, "json_schema": told} if kind == "json_schema" else {"type": kind}
    return {"response_format": None if kind == "text" else formed, "verbosity": text.get("verbosity")}


def _of_reasoning(reasoning: Mapping[str, Any]) -> dict[str, Any]:
    _only(reasoning, ("effort", "summary", "generate_summary"), "reasoning")
    for name in ("summary", "generate_summary"):
        # Agents ask for one whatever the model is; the answer says that there is none.
        if reasoning.get(name) not in (None, *_SUMMARIES):
            field = f"reasoning.{name}"
            raise InvalidRequest(f"{field} must be {', '.join(_SUMMARIES)}, and none is had", field=field)
    return {"reasoning_effort": reasoning.get("effort")}


def _only(said: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name, value in said.items():
        if value is not None and name not in known:
            field = f"{where}.{name}"
            raise InvalidRequest(f"{field} is not honoured here", field=field)


def messages_of(given: object, earlier: Earlier) -> list[JSONObject]:
    """Return the chat messages that the items of `input` stand for.

    Raises
    ------
    InvalidRequest
        Naming the item that is none, or of a kind that cannot be had here.
    """
    if isinstance(given, str) and given.strip():
        return [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise InvalidRequest("input must be a text or a list of items, not empty", field="input")
    messages: list[JSONObject] = []
    for index, item in enumerate(given):
        where = f"input[{index}]"
        if not isinstance(item, dict):
            raise InvalidRequest(f"{where} must be an object", field=where)
        for message in _of_item(item, where, earlier):
            _append(messages, message)
    if not messages:
        raise InvalidRequest("input holds nothing to answer", field="input")
    return messages


def _append(messages: list[JSONObject], message: JSONObject) -> None:
    """Add a message; calls of tools join the words they came with, or one another."""
    last = messages[-1] if messages else {}
    if message.get("tool_calls") and last.get("role") == "assistant":
        calls = [*(last.get("tool_calls") or ()), *message["tool_calls"]]
        messages[-1] = {**last, "tool_calls": calls}
    else:
        messages.append(message)


def _of_item(item: JSONObject, where: str, earlier: Earlier) -> Iterator[JSONObject]:
    kind = word_of(item) if "type" in item else "message"
    if kind == "message":
        yield _message(item, where)
    elif kind in {"function_call", "custom_tool_call"}:
        yield _call(item, where, is_custom=kind == "custom_tool_call")
    elif kind in {"function_call_output", "custom_tool_call_output"}:
        yield {"role": "tool", "tool_call_id": _text(item, "call_id", where), "content": _output(item, where)}
    elif kind == "item_reference":
        found = earlier(_text(item, "id", where))
        if found is None:
            field = f"{where}.id"
            raise InvalidRequest(f"{field}: no item {item['id'][:200]!r} is kept; send it whole", field=field)
        yield found
    elif kind not in _OF_NO_USE:
        field = f"{where}.type"
        raise InvalidRequest(f"{field}: items of type {str(kind)[:100]!r} cannot be had here", field=field)


def _message(item: JSONObject, where: str) -> JSONObject:
    role, content = item.get("role"), item.get("content")
    if isinstance(content, str):
        return {"role": role, "content": content}
    if not isinstance(content, list):
        raise InvalidRequest(f"{where}.content must be a text or a list of parts", field=f"{where}.content")
    parts = [_part(part, f"{where}.content[{index}]") for index, part in enumerate(content)]
    if all(part["type"] == "text" for part in parts) and len(parts) == 1:
        return {"role": role, "content": parts[0]["text"]}
    return {"role": role, "content": parts}


def _part(part: object, where: str) -> JSONObject:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        raise InvalidRequest(f"{where} must be an object with a type", field=where)
    if kind in {"input_text", "output_text", "text"}:
        return {"type": "text", "text": _text(part, "text", where, may_be_empty=True)}
    if kind == "refusal":
        return {"type": "text", "text": _text(part, "refusal", where, may_be_empty=True)}
    if part.get("file_id") is not None:
        raise InvalidRequest(
            f"{where}.file_id: no files are kept here; send the content", field=f"{where}.file_id"
        )
    if kind == "input_image":
        detail = {} if part.get("detail") is None else {"detail": part["detail"]}
        return {"type": "image_url", "image_url": {"url": _text(part, "image_url", where), **detail}}
    if kind == "input_file":
        told = {"filename": part["filename"]} if part.get("filename") is not None else {}
        return {"type": "file", "file": {"file_data": _text(part, "file_data", where), **told}}
    if kind == "input_audio":
        return {"type": "input_audio", "input_audio": part.get("input_audio")}
    raise InvalidRequest(f"{where}.type {kind[:100]!r} cannot be had here", field=f"{where}.type")


def _call(item: JSONObject, where: str, *, is_custom: bool) -> JSONObject:
    _text(item, "name", where)
    name, call_id = one_name(item), _text(item, "call_id", where)
    said = _text(item, "input" if is_custom else "arguments", where, may_be_empty=True)
    if is_custom:
        call: JSONObject = {"id": call_id, "type": "custom", "custom": {"name": name, "input": said}}
    else:
        call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": said}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _output(item: JSONObject, where: str) -> str | list[JSONObject]:
    output = item.get("output")
    if isinstance(output, str):
        return output
    if not isinstance(output, list):
        raise InvalidRequest(f"{where}.output must be a text or a list of parts", field=f"{where}.output")
    parts = [_part(part, f"{where}.output[{index}]") for index, part in enumerate(output)]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _text(item: Mapping[str, Any], name: str, where: str, *, may_be_empty: bool = False) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise InvalidRequest(f"{where}.{name} must be a text", field=f"{where}.{name}")
    return value
