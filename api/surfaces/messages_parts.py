"""Blocks of a message in Anthropic's form as the parts of a chat message."""

from collections.abc import Mapping
from typing import Any

from ...state.errors import InvalidRequest
from ...state.types import JSONObject


def parts_of(blocks: Any, where: str) -> list[JSONObject]:
    """Return blocks as the parts of a chat message.

    Raises
    ------
    InvalidRequest
        Naming the block that is none, or of a kind that cannot be had here.
    """
    if not isinstance(blocks, list):
        raise InvalidRequest(f"{where} must be a text or a list of blocks", field=where)
    return [_part(block, f"{where}[{index}]") for index, block in enumerate(blocks)]


def _part(block: Any, where: str) -> JSONObject:
    kind = block.get("type") if isinstance(block, dict) else None
    marked = (
        {}
        if kind is None or block.get("cache_control") is None
        else {"cache_control": block["cache_control"]}
    )
    if kind == "text":
        if not isinstance(block.get("text"), str):
            raise InvalidRequest(f"{where}.text must be a text", field=f"{where}.text")
        return {"type": "text", "text": block["text"], **marked}
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": _url(block, where)}, **marked}
    if kind == "document" and (said := _plain_text(block, where)) is not None:
        return {"type": "text", "text": said, **marked}
    if kind == "document":
        name = {"filename": block["title"]} if isinstance(block.get("title"), str) else {}
        return {"type": "file", "file": {"file_data": _url(block, where), **name}, **marked}
    if kind == "search_result":
        said = "\n\n".join((*_texts(block, ("title", "source")), *_texts_of(block.get("content"))))
        return {"type": "text", "text": said, **marked}
    raise InvalidRequest(f"{where}.type {str(kind)[:100]!r} cannot be had here", field=f"{where}.type")


def _plain_text(block: Mapping[str, Any], where: str) -> str | None:
    """Return what a document of plain text says, beneath its title; None for one of another kind."""
    source = block.get("source")
    kind = source.get("type") if isinstance(source, Mapping) else None
    if isinstance(source, Mapping) and kind == "content" and (said := _texts_of(source.get("content"))):
        return "\n\n".join((*_texts(block, ("title",)), *said))
    if not isinstance(source, Mapping) or kind != "text":
        return None
    require_text(source, "data", f"{where}.source")
    return "\n\n".join((*_texts(block, ("title",)), source["data"]))


def _texts(said: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [said[name] for name in names if isinstance(said.get(name), str) and said[name]]


def _texts_of(content: Any) -> list[str]:
    """Return the texts of a text or of blocks of text; nothing where some are none."""
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else []
    found = [
        block["text"] for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)
    ]
    return found if len(found) == len(blocks) else []


def _url(block: Mapping[str, Any], where: str) -> str:
    source = block.get("source")
    kind = source.get("type") if isinstance(source, Mapping) else None
    if isinstance(source, Mapping) and kind == "base64":
        require_text(source, "data", f"{where}.source")
        require_text(source, "media_type", f"{where}.source")
        return f"data:{source['media_type']};base64,{source['data']}"
    if isinstance(source, Mapping) and kind == "url" and block.get("type") == "image":
        require_text(source, "url", f"{where}.source")
        return str(source["url"])
    field = f"{where}.source.type"
    raise InvalidRequest(f"{field} must be base64, text for a document, or url for an image", field=field)


def require_text(said: Mapping[str, Any], name: str, where: str) -> None:
    """Raise InvalidRequest where something does not have a text of this name."""
    if not isinstance(said.get(name), str) or not said[name]:
        raise InvalidRequest(f"{where}: {name} must be a text", field=where)
