"""Tools in a namespace of POST /v1/responses, which coding agents declare: functions that their caller runs.

Chats know no namespaces, so models are offered each tool under one name; in answers it is told apart again.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from ...state.errors import InvalidRequest

MOST_NAME = 64
"""Longest name of a tool, characters, that vendors take."""
NAMESPACE = "namespace"
Names = Mapping[str, tuple[str, str]]
"""Namespace and name of a tool by the one name that models know it under."""


def joined(namespace: str, name: str) -> str:
    """Return the one name of a tool in a namespace; one that would be too long is cut and told apart by a digest."""
    whole = f"{namespace}{name}" if namespace.endswith("__") else f"{namespace}__{name}"
    if len(whole) <= MOST_NAME:
        return whole
    return f"{whole[: MOST_NAME - 9]}_{blake2b(whole.encode(), digest_size=4).hexdigest()}"


def members(space: Mapping[str, Any], where: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the tools of a namespace under their one names, each with its place.

    What is said of the namespace is said of each.

    Raises
    ------
    InvalidRequest
        When it has no name, or no list of tools that have one.
    """
    name, tools = space.get("name"), space.get("tools")
    if not isinstance(name, str) or not name:
        raise InvalidRequest(f"{where}.name must be a text", field=f"{where}.name")
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise InvalidRequest(f"{where}.tools must be a list of tools", field=f"{where}.tools")
    for index, tool in enumerate(tools):
        place = f"{where}.tools[{index}]"
        if not isinstance(tool.get("name"), str) or not tool["name"]:
            raise InvalidRequest(f"{place}.name must be a text", field=f"{place}.name")
        told = [one for one in (space.get("description"), tool.get("description")) if isinstance(one, str)]
        described = {"description": "\n".join(told)} if told else {}
        yield {**tool, "name": joined(name, tool["name"]), **described}, place


def names_of(tools: Sequence[Mapping[str, Any]] | None) -> Names:
    """Return the names of all tools that stand in namespaces, of a request whose tools were checked."""
    return {
        joined(space["name"], tool["name"]): (space["name"], tool["name"])
        for space in tools or ()
        if space.get("type") == NAMESPACE
        for tool in space["tools"]
    }


def named(name: str, names: Names) -> dict[str, str]:
    """Return a tool's name as the caller knows it, with its namespace where it has one."""
    if name not in names:
        return {"name": name}
    namespace, own = names[name]
    return {"name": own, "namespace": namespace}


def one_name(said: Mapping[str, Any]) -> Any:
    """Return the one name of a tool that an item or a choice of the caller's names."""
    name, namespace = said.get("name"), said.get("namespace")
    return (
        joined(namespace, name)
        if isinstance(namespace, str) and isinstance(name, str) and namespace
        else name
    )
