"""A request of POST /v1/messages, Anthropic's form, and what it says in the words of a chat."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ...state.errors import InvalidRequest
from ...state.types import JSONObject
from ..schemas import Steered
from .messages_parts import parts_of, require_text
from .words import word_of

_PASSED_ON = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop_sequences": "stop",
    "max_tokens": "max_tokens",
}  # fmt: skip
_EFFORTS = ((4_096, "low"), (16_384, "medium"))
"""Thinking budgets in tokens below which an effort is meant; beyond them it is high."""
_AS_IT_IS = {"eager_input_streaming": True, "defer_loading": False, "allowed_callers": ["direct"]}
"""What a tool may ask for because it is so with every tool here, and the value that says so."""
_ASIDE = frozenset({
    "tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result",
    "web_fetch_tool_result",
})  # fmt: skip
"""Blocks that are no words: calls and their results, thoughts, and what a vendor looked up, sealed for itself."""
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


class MessagesRequest(Steered):
    """An Anthropic messages request. What it cannot honour it refuses by name."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int = Field(ge=1, lt=2**31)
    messages: list[dict[str, Any]] = Field(min_length=1)
    system: str | list[dict[str, Any]] | None = None
    temperature: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    top_p: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    top_k: int | None = Field(None, ge=0, lt=2**31)
    stop_sequences: list[str] | None = None
    tools: list[dict[str, Any]] | None = Field(None, description="Tools that the caller runs.")
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = Field(
        None, description="Becomes an effort of reasoning; thoughts stay unseen."
    )
    output_config: dict[str, Any] | None = Field(None, description="effort and format.")
    output_format: dict[str, Any] | None = Field(None, description="As output_config.format.")
    cache_control: dict[str, Any] | None = Field(None, description="Marks the end of what is sent.")
    metadata: dict[str, Any] | None = Field(None, description="user_id.")
    service_tier: Literal["auto", "standard_only"] | None = None
    context_management: dict[str, Any] | None = Field(
        None, description="Edits that leave the conversation as it is."
    )
    mcp_servers: list[Any] | None = Field(None, max_length=0, description="None can be had here.")
    container: None = Field(None, description="None can be had here.")


class CountRequest(MessagesRequest):
    """A messages request whose tokens are counted."""

    max_tokens: int = Field(1, ge=1, lt=2**31, description="Without effect.")


def options_of(body: MessagesRequest) -> dict[str, Any]:
    """Return the chat parameters of a request.

    Raises
    ------
    InvalidRequest
        Naming what cannot be honoured.
    """
    options = {ours: getattr(body, theirs) for theirs, ours in _PASSED_ON.items()}
    options["tools"] = [_tool(tool, f"tools[{index}]") for index, tool in enumerate(body.tools or ())] or None
    options |= _of_choice(body.tool_choice or {})
    formed = {} if body.output_format is None else {"format": body.output_format}
    options |= _of_output(formed | (body.output_config or {})) | _of_thinking(body.thinking or {})
    _only(body.metadata or {}, ("user_id",), "metadata")
    _check_edits(body.context_management or {})
    options["user"] = (body.metadata or {}).get("user_id")
    if body.service_tier is not None:
        options["service_tier"] = "auto" if body.service_tier == "auto" else "default"
    return {name: value for name, value in options.items() if value is not None}


def _check_edits(management: Mapping[str, Any]) -> None:
    """Let pass what clears nothing, as coding agents send it: thoughts are kept, and no other edit is named."""
    _only(management, ("edits",), "context_management")
    edits = management.get("edits") or []
    if not isinstance(edits, list):
        raise InvalidRequest("context_management.edits must be a list", field="context_management.edits")
    for index, edit in enumerate(edits):
        where = f"context_management.edits[{index}]"
        if not isinstance(edit, Mapping) or edit.get("keep") != "all":
            raise InvalidRequest(f"{where}: only edits that keep all are taken", field=where)


def _tool(tool: Mapping[str, Any], where: str) -> JSONObject:
    if word_of(tool) not in {None, "custom"}:
        field = f"{where}.type"
        kind = str(tool["type"])[:100]
        raise InvalidRequest(
            f"{field} {kind!r}: only tools that the caller runs can be had here", field=field
        )
    said = {name: value for name, value in tool.items() if name not in _AS_IT_IS or value != _AS_IT_IS[name]}
    _only(said, ("type", "name", "description", "input_schema", "strict", "cache_control"), where)
    told = {
        "name": tool.get("name"),
        "description": tool.get("description"),
        "parameters": tool.get("input_schema"),
    }
    told |= {"strict": tool.get("strict")}
    function = {name: value for name, value in told.items() if value is not None}
    marked = {} if tool.get("cache_control") is None else {"cache_control": tool["cache_control"]}
    return {"type": "function", "function": function, **marked}


def _of_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    if not choice:
        return {}
    kind = word_of(choice)
    _only(choice, ("type", "name", "disable_parallel_tool_use"), "tool_choice")
    parallel = {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") is True else {}
    if kind == "tool":
        return {"tool_choice": {"type": "function", "function": {"name": choice.get("name")}}, **parallel}
    if kind not in _CHOICES:
        raise InvalidRequest("tool_choice.type must be auto, any, tool or none", field="tool_choice.type")
    return {"tool_choice": _CHOICES[kind], **parallel}


def _of_output(config: Mapping[str, Any]) -> dict[str, Any]:
    _only(config, ("effort", "format"), "output_config")
    found: dict[str, Any] = {"reasoning_effort": config.get("effort")}
    wanted = config.get("format")
    if wanted is not None:
        if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
            field = "output_config.format"
            raise InvalidRequest(f"{field} must be an object of type json_schema", field=field)
        schema = {"name": "answer", "schema": wanted.get("schema"), "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    return found


def _of_thinking(thinking: Mapping[str, Any]) -> dict[str, Any]:
    kind, budget = word_of(thinking), thinking.get("budget_tokens")
    if kind in {None, "disabled", "adaptive"}:
        return {}
    if kind != "enabled" or isinstance(budget, bool) or not isinstance(budget, int) or budget < 1:
        raise InvalidRequest(
            "thinking must be disabled, adaptive, or enabled with budget_tokens", field="thinking"
        )
    return {"reasoning_effort": next((effort for most, effort in _EFFORTS if budget < most), "high")}


def _only(said: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name, value in said.items():
        if value is not None and name not in known:
            raise InvalidRequest(f"{where}.{name} is not honoured here", field=f"{where}.{name}")


def messages_of(body: MessagesRequest) -> list[JSONObject]:
    """Return the chat messages of a request.

    Raises
    ------
    InvalidRequest
        Naming the message or block that is none, or of a kind that cannot be had here.
    """
    found: list[JSONObject] = []
    if body.system:
        system = body.system if isinstance(body.system, str) else parts_of(body.system, "system")
        found.append({"role": "system", "content": system})
    for index, message in enumerate(body.messages):
        found += _of_message(message, f"messages[{index}]")
    return found if body.cache_control is None else _marked(found, body.cache_control)


def _marked(messages: list[JSONObject], mark: Mapping[str, Any]) -> list[JSONObject]:
    """Return messages whose last words have a mark, as if the caller had put it there."""
    for place in range(len(messages) - 1, -1, -1):
        content = messages[place]["content"]
        parts = [{"type": "text", "text": content}] if content and isinstance(content, str) else content
        if parts:
            last = {"cache_control": mark, **parts[-1]}
            marked = {**messages[place], "content": [*parts[:-1], last]}
            return [*messages[:place], marked, *messages[place + 1 :]]
    return messages


def _of_message(message: Mapping[str, Any], where: str) -> Iterator[JSONObject]:
    role, content = word_of(message, "role"), message.get("content")
    if role not in {"user", "assistant", "system"}:
        raise InvalidRequest(f"{where}.role must be user, assistant or system", field=f"{where}.role")
    if role == "system" and isinstance(content, list):
        yield {"role": role, "content": parts_of(content, f"{where}.content")}
        return
    if isinstance(content, str):
        yield {"role": role, "content": content}
        return
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise InvalidRequest(f"{where}.content must be a text or a list of blocks", field=f"{where}.content")
    calls = [_call(block, where) for block in content if block.get("type") == "tool_use"]
    for block in content:
        if block.get("type") == "tool_result":
            yield _result(block, where)
    words = [block for block in content if word_of(block) not in _ASIDE]
    if not words and not calls:
        return
    parts = parts_of(words, f"{where}.content")
    is_plain = len(parts) == 1 and parts[0].keys() == {"type", "text"}
    told = None if not parts else parts[0]["text"] if is_plain else parts
    yield {"role": role, "content": told, **({"tool_calls": calls} if calls else {})}


def _call(block: Mapping[str, Any], where: str) -> JSONObject:
    for name in ("id", "name"):
        require_text(block, name, f"{where}.content")
    said = json.dumps(block.get("input") or {}, ensure_ascii=False)
    return {"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": said}}


def _result(block: Mapping[str, Any], where: str) -> JSONObject:
    require_text(block, "tool_use_id", f"{where}.content")
    content = block.get("content")
    told: Any = content if isinstance(content, str) else parts_of(content or [], f"{where}.content")
    if isinstance(told, list) and all(part["type"] == "text" for part in told):
        told = "\n".join(part["text"] for part in told)
    if block.get("is_error") is True and isinstance(told, str):
        told = f"Error: {told}"
    return {"role": "tool", "tool_call_id": block["tool_use_id"], "content": told}
