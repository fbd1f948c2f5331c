"""What a request carries beside text: images, sound, video and files, told apart from the words around them.

The Base64 of an attachment is no text: no model reads it as words and no vendor bills it as such.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

MediaKind = Literal["image", "audio", "video", "file"]
PART_KINDS: dict[str, MediaKind] = {
    "image_url": "image", "input_image": "image", "image": "image",
    "input_audio": "audio", "audio": "audio", "audio_url": "audio",
    "video_url": "video", "input_video": "video", "video": "video",
    "file": "file", "input_file": "file", "document": "file", "document_url": "file",
}  # fmt: skip
"""What a content part holds, by its `type`, in the dialects of OpenAI, OpenRouter, vLLM, Anthropic and Mistral."""
_BASE64_KEYS = ("data", "file_data", "base64")
_DATA_URL = re.compile(r"data:([\w.+/-]{0,100})(?:;[\w.+=\"-]{1,100}){0,4};base64,", re.IGNORECASE)
HEAD_BASE64 = 174_764
"""Characters of Base64 that hold 128 KiB: a JPEG's size comes after its thumbnail and colour profile."""
_HEAD_CHARS = 512
"""More than the head of any data URL."""
_MOST_NESTED = 12
"""Parts within parts, as a tool's result holds them; what lies deeper counts as text."""


@dataclass(frozen=True, slots=True)
class Media:
    """One attachment."""

    kind: MediaKind
    head: str | None = None
    """Beginning of the Base64 it holds, enough to tell its size by; None for one that lies elsewhere, behind an address
    or a file id."""
    base64_chars: int = 0
    """Characters of Base64 altogether."""
    mime: str = ""
    """Media type, where the caller named one."""
    detail: str = ""
    """OpenAI's wish for an image: "low", "high", "auto", or "" for none."""

    @property
    def size_bytes(self) -> int | None:
        """Bytes it holds, at most; None for one that lies elsewhere."""
        return None if self.head is None else self.base64_chars * 3 // 4


@dataclass(frozen=True, slots=True)
class Attached:
    """Messages with their attachments taken out."""

    messages: list[Any]
    """As given, less the Base64 of each attachment."""
    media: tuple[Media, ...]
    unknown: tuple[str, ...]
    """Where a content part has a type that is neither text nor an attachment: `messages[0].content[1] (type 'x')`."""


TEXT_PARTS = frozenset({
    "text", "input_text", "output_text", "refusal", "thinking", "redacted_thinking", "reasoning", "tool_use",
    "tool_result", "tool_call", "function_call",
})  # fmt: skip
"""Types of content parts that are billed as the text they hold."""


def take_out(messages: Sequence[Mapping[str, Any]]) -> Attached:
    """Return the messages without the Base64 of their attachments, and the attachments; nothing given is changed."""
    media: list[Media] = []
    unknown: list[str] = []
    stripped = []
    for index, message in enumerate(messages):
        content = message.get("content")
        if isinstance(content, list):
            where = f"messages[{index}].content"
            message = {**message, "content": _strip_parts(content, where, media, unknown, 0)}  # noqa: PLW2901
        stripped.append(message)
    return Attached(stripped, tuple(media), tuple(unknown))


def media_of(messages: Sequence[Mapping[str, Any]]) -> tuple[Media, ...]:
    """Return the attachments of all messages, in order."""
    return take_out(messages).media


def _strip_parts(
    parts: list[Any], where: str, media: list[Media], unknown: list[str], depth: int
) -> list[Any]:
    return [_strip_part(part, f"{where}[{index}]", media, unknown, depth) for index, part in enumerate(parts)]


def _strip_part(part: Any, where: str, media: list[Media], unknown: list[str], depth: int) -> Any:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(kind, str):
        return part
    if kind in PART_KINDS:
        found: list[Media] = []
        bare = _without_base64(part, PART_KINDS[kind], found, 0)
        media.append(found[0] if found else Media(PART_KINDS[kind], detail=_detail(part)))
        media.extend(found[1:])
        return bare
    if kind not in TEXT_PARTS:
        unknown.append(f"{where} (type {kind[:40]!r})")
    inner = part.get("content")
    if isinstance(inner, list) and depth < _MOST_NESTED:
        return {**part, "content": _strip_parts(inner, f"{where}.content", media, unknown, depth + 1)}
    return part


def _without_base64(value: Mapping[str, Any], kind: MediaKind, found: list[Media], depth: int) -> Any:
    """Return a copy without Base64, of which each is added to `found`."""
    kept: dict[str, Any] = {}
    is_text = value.get("type") == "text"
    for key, item in value.items():
        if isinstance(item, Mapping) and depth < _MOST_NESTED:
            kept[key] = _without_base64(item, kind, found, depth + 1)
            continue
        kept[key] = item
        if not isinstance(item, str):
            continue
        head = _DATA_URL.match(item[:_HEAD_CHARS])
        if head is None and (is_text or key not in _BASE64_KEYS):
            continue
        mime = head[1] if head else _first_text(value, "mime_type", "media_type", "format")
        start = head.end() if head else 0
        inside = item[start : start + HEAD_BASE64]
        found.append(Media(kind, inside, len(item) - start, mime.lower(), _detail(value)))
        kept[key] = head[0] if head else ""
    return kept


def _detail(value: Mapping[str, Any]) -> str:
    inner = value.get("image_url")
    return _first_text(value, "detail") or (
        _first_text(inner, "detail") if isinstance(inner, Mapping) else ""
    )


def _first_text(value: Mapping[str, Any], *keys: str) -> str:
    return next((value[key] for key in keys if isinstance(value.get(key), str)), "")
