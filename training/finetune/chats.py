"""Which calls are examples, and what do they look like? Three texts: instruction, input and output.

Alpaca's form has three texts. A prompt alone is the instruction; where a system message stands before it, that message
is the instruction and the prompt the input. The scripts turn both back into the messages that serving sends. What three
texts cannot say is left out, and counted by reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...routing.prompt.tokens import estimate_tokens

MOST_TOKENS = 1_900
"""Estimated tokens of prompt and answer; the scripts train on 2,048, the template's own among them."""
_SYSTEM = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class Row:
    """One example."""

    instruction: str
    input: str
    output: str


def row_of(
    messages: Sequence[Mapping[str, Any]],
    answer: Mapping[str, Any],
    options: Mapping[str, Any],
    finish_reason: str | None,
) -> Row | str:
    """Return the example that a call makes, or the reason why it makes none.

    Parameters
    ----------
    messages
        What was asked, OpenAI messages, without the answer.
    answer
        The message that was returned.
    """
    if any(options.get(name) for name in ("tools", "functions")) or answer.get("tool_calls"):
        return "tool_calls"
    if _names_a_form(options.get("response_format")):
        return "structured_output"
    if finish_reason == "length":
        return "cut_off"
    texts = [text_of(message.get("content")) for message in messages]
    said = text_of(answer.get("content"))
    if said is None or None in texts:
        return "not_text"
    return _row([str(message.get("role")) for message in messages], [text or "" for text in texts], said)


def _row(roles: list[str], texts: list[str], said: str) -> Row | str:
    if "tool" in roles or "function" in roles:
        return "tool_calls"
    if roles not in (["user"], *([system, "user"] for system in _SYSTEM)):
        return "multi_turn"
    asked = texts[-1].strip()
    if not asked or not said.strip():
        return "empty"
    if estimate_tokens("\n".join((*texts, said))) > MOST_TOKENS:
        return "too_long"
    system = texts[0].strip() if len(texts) == 2 else ""
    return Row(system, asked, said.strip()) if system else Row(asked, "", said.strip())


def text_of(content: Any) -> str | None:
    """Return the text of a message's content; None where it holds anything else, such as an image."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = [
        part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None
        for part in content
    ]
    return None if None in parts else "".join(str(part) for part in parts)


def _names_a_form(response_format: Any) -> bool:
    return isinstance(response_format, Mapping) and response_format.get("type") not in (None, "text")
