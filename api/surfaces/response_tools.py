"""Tools as POST /v1/responses describes them, and as chats do."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...state.errors import InvalidRequest
from ...state.types import JSONObject
from .namespaces import NAMESPACE, members, one_name
from .words import word_of


def tools_of(tools: Sequence[Mapping[str, Any]]) -> list[JSONObject]:
    """Return tools in the form of chats, those of namespaces one by one.

    Raises
    ------
    InvalidRequest
        For one that a vendor runs: what that costs nothing bounds. For one of a namespace whose one name is another's.
    """
    found: list[JSONObject] = []
    taken = {tool.get("name") for tool in tools if isinstance(tool.get("name"), str)}
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if tool.get("type") == NAMESPACE:
            for one, place in members(tool, where):
                if one["name"] in taken:
                    field = f"{place}.name"
                    raise InvalidRequest(f"{field}: another tool goes by {one['name']!r}", field=field)
                taken.add(one["name"])
                found.append(_tool(one, place))
        else:
            found.append(_tool(tool, where))
    return found


def _tool(tool: Mapping[str, Any], where: str) -> JSONObject:
    kind = tool.get("type")
    told = {name: value for name, value in tool.items() if name != "type" and value is not None}
    if kind == "function":
        return {"type": "function", "function": told}
    if kind == "custom":
        form = told.get("format")
        if isinstance(form, Mapping) and form.get("type") == "grammar":
            grammar = {name: value for name, value in form.items() if name != "type"}
            told["format"] = {"type": "grammar", "grammar": grammar}
        return {"type": "custom", "custom": told}
    field = f"{where}.type"
    raise InvalidRequest(
        f"{field} must be function, custom or namespace, got {str(kind)[:100]!r}: tools that a vendor runs "
        "cannot be had here",
        field=field,
    )


def tool_choice_of(choice: str | Mapping[str, Any] | None) -> Any:
    """Return which tool is to be called in the form of chats.

    Raises
    ------
    InvalidRequest
        For a tool that a vendor runs.
    """
    if choice is None or isinstance(choice, str):
        return choice
    kind = word_of(choice)
    if kind == "allowed_tools":
        tools = choice.get("tools")
        named = [_named(tool) for tool in tools] if isinstance(tools, list) else tools
        return {"type": kind, "allowed_tools": {"mode": choice.get("mode"), "tools": named}}
    if kind in {"function", "custom"}:
        return _named(choice)
    raise InvalidRequest(
        f"tool_choice.type must be function, custom or allowed_tools, got {str(kind)[:100]!r}",
        field="tool_choice.type",
    )


def _named(choice: object) -> Any:
    if not isinstance(choice, Mapping):
        return choice
    kind = str(choice.get("type"))
    return {"type": kind, kind: {"name": one_name(choice)}}
