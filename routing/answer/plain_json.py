"""Take JSON that was asked for out of what some models put around it: a code fence, a thought before it."""

from collections.abc import Mapping
from typing import Any

from .code_blocks import parse_json

JSON_FORMATS = frozenset({"json_object", "json_schema"})
"""Types of `response_format` that ask for JSON and nothing else."""
_FENCE = "```"
_LANGUAGES = frozenset({"", "json", "json5", "jsonc"})
_THOUGHT = ("<think>", "</think>")
_MARK = "\ufeff"
"""Of the order of bytes; no parser of JSON takes it."""


def wants_json(options: Mapping[str, Any]) -> bool:
    """Return whether a request's `response_format` asks for JSON."""
    return (options.get("response_format") or {}).get("type") in JSON_FORMATS


def unwrapped(text: str) -> str | None:
    """Return the JSON that is all a text holds inside one fence, after one thought, or both; None for any other text.

    What is JSON as it is needs nothing taken off, and words beside the fence may take back what it says.
    """
    inner = text.strip().removeprefix(_MARK)
    if inner.startswith(_THOUGHT[0]):
        inner = inner.partition(_THOUGHT[1])[2].strip()
    if inner.startswith(_FENCE) and inner.endswith(_FENCE) and inner.count(_FENCE) == 2:
        language, _, inner = inner[len(_FENCE) : -len(_FENCE)].partition("\n")
        if language.strip().lower() not in _LANGUAGES:
            return None
    inner = inner.strip()
    if inner == text.strip():
        return None
    try:
        parse_json(inner)
    except ValueError:
        return None
    return inner


def with_plain_json(message: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an OpenAI assistant message with the JSON asked for alone; None where there is nothing to take off."""
    content = message.get("content")
    if not wants_json(options) or not isinstance(content, str) or message.get("tool_calls"):
        return None
    plain = unwrapped(content)
    return None if plain is None else {**message, "content": plain}
