"""Parts of a message as other APIs write them, in the words of a chat."""

from collections.abc import Sequence
from typing import Any

from ...state.types import JSONObject

_TEXTS = frozenset({"input_text", "output_text"})


def usual_parts(parts: Sequence[Any]) -> list[Any]:
    """Return the parts of a message in OpenAI's form: texts and images of the Responses API and of Anthropic's.

    Whatever else they are stays as it is: the vendor may know it.
    """
    return [_usual(part) if isinstance(part, dict) else part for part in parts]


def _usual(part: JSONObject) -> JSONObject:
    kind = part.get("type")
    if kind in _TEXTS and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"], **_mark(part)}
    if kind == "image_url" and isinstance(part.get("image_url"), str):
        return {**part, "image_url": {"url": part["image_url"]}}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        detail = {} if part.get("detail") is None else {"detail": part["detail"]}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}, **_mark(part)}
    if kind == "image" and (url := _address(part.get("source"))) is not None:
        return {"type": "image_url", "image_url": {"url": url}, **_mark(part)}
    return part


def _mark(part: JSONObject) -> JSONObject:
    return {} if part.get("cache_control") is None else {"cache_control": part["cache_control"]}


def _address(source: Any) -> str | None:
    """Return where an image of Anthropic's form lies, or the image itself; None where it does not say."""
    if not isinstance(source, dict):
        return None
    if isinstance(source.get("url"), str):
        return str(source["url"])
    data, kind = source.get("data"), source.get("media_type")
    return f"data:{kind};base64,{data}" if isinstance(data, str) and isinstance(kind, str) else None
