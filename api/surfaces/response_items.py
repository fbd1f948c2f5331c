"""What a kept response answered: its conversation in the items of /v1/responses, a page at a time."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ...state.errors import InvalidRequest
from ...state.types import JSONObject
from .namespaces import Names, named

Order = Literal["asc", "desc"]
_CALL_ITEMS = {"function": ("function_call", "arguments"), "custom": ("custom_tool_call", "input")}


def page_of(  # noqa: PLR0913 - whose items, which page of them, in whose words
    call_id: str,
    messages: Sequence[JSONObject],
    *,
    limit: int,
    order: Order,
    after: str | None,
    names: Names,
) -> JSONObject:
    """Return a page of the items that some messages stand for, in OpenAI's list.

    `names` are those of tools in namespaces.

    Raises
    ------
    InvalidRequest
        When no item goes by the id `after`.
    """
    items = [
        {**item, "id": f"item_{call_id}_{place}"}
        for place, item in enumerate(item for message in messages for item in _items(message, names))
    ]
    if order == "desc":
        items.reverse()
    if after is not None:
        ids = [item["id"] for item in items]
        if after not in ids:
            raise InvalidRequest("after must be the id of an item of the response", field="after")
        items = items[ids.index(after) + 1 :]
    page = items[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(items) > len(page),
    }


def _items(message: JSONObject, names: Names) -> Iterator[JSONObject]:
    role, content = message["role"], message.get("content")
    if role == "tool":
        output = content if isinstance(content, str) else [_part(part, role) for part in content or ()]
        answered = {"call_id": message.get("tool_call_id"), "output": output}
        yield {"type": "function_call_output", **answered, "status": "completed"}
        return
    if content:
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        told = [_part(part, role) for part in parts]
        yield {"type": "message", "role": role, "content": told, "status": "completed"}
    for call in message.get("tool_calls") or ():
        kind, said = _CALL_ITEMS[call.get("type", "function")]
        inner = call[call.get("type", "function")]
        yield {
            "type": kind, "call_id": call["id"], **named(inner["name"], names), said: inner[said],
            "status": "completed",
        }  # fmt: skip


def _part(part: JSONObject, role: str) -> JSONObject:
    kind = part["type"]
    if kind == "text" and role == "assistant":
        return {"type": "output_text", "text": part["text"], "annotations": []}
    if kind == "text":
        return {"type": "input_text", "text": part["text"]}
    inner: Any = part.get(kind)
    if kind == "image_url":
        return {"type": "input_image", "image_url": inner["url"], "detail": inner.get("detail", "auto")}
    if kind == "file":
        return {"type": "input_file", **inner}
    return part
