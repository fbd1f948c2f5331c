"""How many tokens a request has, without a tokenizer: a fair estimate and an upper bound."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from .media import media_of, take_out
from .media_tokens import bound_media_tokens, estimate_media_tokens

_ASCII_CHARS_PER_TOKEN = 4.0
_OTHER_CHARS_PER_TOKEN = 2.5
_MESSAGE_OVERHEAD = 4
_TEMPLATE_TOKENS = 64
"""What a vendor's chat template adds to a request, beside the words and marks that stand in its JSON."""
_TOOLS_TEMPLATE_TOKENS = 600
"""What it adds where tools are offered: Anthropic publishes up to 530 ("Tool use", pricing)."""
_CACHE_WRITE_FACTOR = 2
"""Anthropic: a prompt marked to be cached for an hour costs twice the input price ("Prompt caching", pricing)."""
# CJK, kana, Hangul, full-width forms and what lies beyond the basic plane (emoji): about a token a character.
_DENSE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00010000-\U0010ffff]+")
_PROMPT_OPTIONS = ("tools", "functions", "response_format", "documents")
_NO_PROMPT_KEYS = frozenset({"role", "content", "tool_call_id", "id"})


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a byte-pair tokenizer makes of `text`."""
    plain = len(text.encode("ascii", "ignore"))
    dense = 0 if plain == len(text) else sum(len(run) for run in _DENSE.findall(text))
    other = len(text) - plain - dense
    return ceil(plain / _ASCII_CHARS_PER_TOKEN + dense + other / _OTHER_CHARS_PER_TOKEN)


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
    """Return how many images the messages hold."""
    return sum(media.kind == "image" for media in media_of(messages))


def prompt_chars(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return how many characters of JSON the messages are, less the Base64 of what is attached to them."""
    return len(_json(take_out(messages).messages))


def estimate_prompt_tokens(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> int:
    """Return about how many prompt tokens a request is billed: tools, response format and attachments included."""
    texts = sum(estimate_tokens(text) for text in _billed_texts(messages, options))
    attached = sum(estimate_media_tokens(media) for media in media_of(messages))
    return texts + _MESSAGE_OVERHEAD * len(messages) + attached


@dataclass(frozen=True, slots=True)
class PromptBound:
    """The most prompt tokens a request can be billed."""

    tokens: int
    """Of everything that can be counted."""
    is_open: bool
    """Whether it holds an attachment that nothing but the model's window bounds."""
    has_audio: bool
    """Whether it holds sound, which vendors bill at a price of its own."""

    def within(self, context_tokens: int) -> int:
        """Return the bound for a model with a window of `context_tokens`: no vendor bills a prompt that is longer."""
        return max(self.tokens, context_tokens) if self.is_open else self.tokens


def bound_prompt(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> PromptBound:
    """Return the most prompt tokens that a request with these messages and options can be billed.

    A token is at least one byte, so a text has no more tokens than UTF-8 bytes. All of the JSON that is sent counts,
    whatever a vendor makes of it: names, reasoning, calls and schemas as well as words. Attachments count by the
    vendors' own rules (`media_tokens`).
    """
    attached = take_out(messages)
    sent = _json([attached.messages, dict(options)])
    tokens = len(sent.encode("utf-8", "surrogatepass")) + _TEMPLATE_TOKENS
    if options.get("tools") or options.get("functions"):
        tokens += _TOOLS_TEMPLATE_TOKENS
    bounds = [bound_media_tokens(media) for media in attached.media]
    tokens += sum(bound for bound in bounds if bound is not None)
    if '"cache_control"' in sent:
        tokens *= _CACHE_WRITE_FACTOR
    return PromptBound(
        tokens, None in bounds, any(media.kind in {"audio", "video"} for media in attached.media)
    )


def _billed_texts(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Iterator[str]:
    for message in messages:
        yield content_text(message.get("content"))
        others = {key: value for key, value in message.items() if key not in _NO_PROMPT_KEYS and value}
        if others:
            yield _json(others)
    for name in _PROMPT_OPTIONS:
        if options.get(name):
            yield _json(options[name])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
