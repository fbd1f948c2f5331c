"""Words that the dialects share: the text of an answer, the calls of tools in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...state.types import JSONObject

PIECE_CHARS = 80
"""Longest piece of a text that is sent at once, characters, as far as words allow."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool that a model calls."""

    kind: str
    """"function", with arguments as JSON in a text, or "custom", with a free text."""
    id: str
    name: str
    said: str
    """The arguments, or the free text."""


def word_of(said: Mapping[str, Any], name: str = "type") -> str | None:
    """Return a word of an object that a caller sent; for what is no text the name of its type, in brackets: no word."""
    value = said.get(name)
    return value if value is None or isinstance(value, str) else f"({type(value).__name__})"


def text_of(message: JSONObject) -> str:
    """Return the words of an assistant message; "" for tool calls alone."""
    content: Any = message.get("content")
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def calls_of(message: JSONObject) -> list[ToolCall]:
    """Return the tools that an assistant message calls, in order; one that is malformed is left to the checks."""
    found = []
    for index, call in enumerate(message.get("tool_calls") or ()):
        kind = "custom" if call.get("type") == "custom" else "function"
        called = call.get(kind) or {}
        said = called.get("input" if kind == "custom" else "arguments")
        name = str(called.get("name") or "")
        found.append(
            ToolCall(
                kind, str(call.get("id") or f"call_{index}"), name, said if isinstance(said, str) else ""
            )
        )
    return found


def pieces_of(text: str) -> list[str]:
    """Return a text in pieces that end after a word where they can; one empty piece for an empty text."""
    found, start = [], 0
    while len(text) - start > PIECE_CHARS:
        space = text.rfind(" ", start, start + PIECE_CHARS)
        end = space + 1 if space > start else start + PIECE_CHARS
        found.append(text[start:end])
        start = end
    return [*found, text[start:]]
