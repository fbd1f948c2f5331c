"""How many tokens a request has, without a tokenizer: a fair estimate and an upper bound."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any

_ASCII_CHARS_PER_TOKEN = 4.0
_OTHER_CHARS_PER_TOKEN = 2.5
_MESSAGE_OVERHEAD = 4
_BOUND_SLACK = 8
_IMAGE_TOKENS = 800
_IMAGE_TOKENS_BOUND = 2_000
# CJK, kana, Hangul, full-width forms and what lies beyond the basic plane (emoji): about a token a character.
_DENSE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00010000-\U0010ffff]+")
_PROMPT_OPTIONS = ("tools", "functions", "response_format")


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a byte-pair tokenizer makes of `text`."""
    plain = len(text.encode("ascii", "ignore"))
    dense = 0 if plain == len(text) else sum(len(run) for run in _DENSE.findall(text))
    other = len(text) - plain - dense
    return ceil(plain / _ASCII_CHARS_PER_TOKEN + dense + other / _OTHER_CHARS_PER_TOKEN)


def bound_tokens(text: str) -> int:
    """Return more tokens than any byte-level tokenizer makes of `text`: one a UTF-8 byte, plus eight."""
    return len(text.encode("utf-8", "surrogatepass")) + _BOUND_SLACK


def content_text(content: Any) -> str:
    """Return the text of an OpenAI message's `content`: a string, a list of parts, or None."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return "\n".join(text for text in texts if isinstance(text, str))


def messages_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the texts of all messages, one after the other; images are left out."""
    return "\n".join(text for message in messages if (text := content_text(message.get("content"))))


def count_images(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return how many image parts the messages hold."""
    contents = (message.get("content") for message in messages)
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return sum(
        isinstance(part, Mapping) and part.get("type") in {"image_url", "input_image"} for part in parts
    )


def estimate_prompt_tokens(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> int:
    """Return about how many prompt tokens a request is billed, tools and response format included."""
    texts = sum(estimate_tokens(text) for text in _billed_texts(messages, options))
    return texts + _MESSAGE_OVERHEAD * len(messages) + _IMAGE_TOKENS * count_images(messages)


def bound_prompt_tokens(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> int:
    """Return an upper bound of the prompt tokens; images count 2,000 each, which a few models exceed."""
    texts = sum(bound_tokens(text) for text in _billed_texts(messages, options))
    return texts + _MESSAGE_OVERHEAD * len(messages) + _IMAGE_TOKENS_BOUND * count_images(messages)


def _billed_texts(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Iterator[str]:
    for message in messages:
        yield content_text(message.get("content"))
        if message.get("tool_calls"):
            yield _json(message["tool_calls"])
    for name in _PROMPT_OPTIONS:
        if options.get(name):
            yield _json(options[name])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
