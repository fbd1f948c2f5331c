"""Tools and choices of tools as other APIs write them, in the words of a chat."""

from collections.abc import Mapping
from typing import Any

_KINDS = ("function", "custom")
_WORDS = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
"""Choices that name no tool; the last is Mistral's and Anthropic's."""
_OF_TOOLS = ("tool_choice", "parallel_tool_calls")


def usual_tools(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return chat parameters with tools and the choice among them in a chat's form; others stay as they are.

    Tools may be flat, as the Responses API has them, or have an `input_schema`, as Anthropic's have.
    """
    found = dict(options)
    if isinstance(tools := found.get("tools"), list):
        found["tools"] = [_usual_tool(tool) for tool in tools]
    if (choice := found.get("tool_choice")) is not None:
        found["tool_choice"] = _usual_choice(choice)
    return found


def without_idle_tools(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return chat parameters without empty lists of tools, and without what says how to call those that are not there.

    Vendors refuse both, though they ask for nothing.
    """
    found = {name: value for name, value in options.items() if name not in ("tools", "functions") or value}
    idle = () if "tools" in found else _OF_TOOLS
    if "functions" not in found:
        idle = (*idle, "function_call")
    return {name: value for name, value in found.items() if name not in idle}


def _usual_tool(tool: Any) -> Any:
    if not isinstance(tool, dict) or "name" not in tool or any(kind in tool for kind in _KINDS):
        return tool
    kind = tool.get("type", "function")
    if kind not in _KINDS:
        return tool
    told = {
        name: value for name, value in tool.items() if name not in ("type", "input_schema", "cache_control")
    }
    if tool.get("input_schema") is not None:
        told.setdefault("parameters", tool["input_schema"])
    marked = {} if tool.get("cache_control") is None else {"cache_control": tool["cache_control"]}
    return {"type": kind, kind: told, **marked}


def _usual_choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return _WORDS.get(choice, choice)
    if not isinstance(choice, dict) or not isinstance(kind := choice.get("type"), str):
        return choice
    if kind in _WORDS and choice.keys() == {"type"}:
        return _WORDS[kind]
    named = "function" if kind == "tool" else kind
    if named in _KINDS and choice.keys() == {"type", "name"}:
        return {"type": named, named: {"name": choice["name"]}}
    return choice
