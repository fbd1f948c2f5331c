"""The one pair of functions between a call's nouns and their JSON in LangGraph's channels and checkpoints.

Messages are channels' only values that need not be JSON: nodes see their OpenAI form.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter

from ...state.working_memory import Change, Opened
from .messages import to_openai

CallT = TypeVar("CallT", bound=Opened)

NOUNS = frozenset({"opening", "task", "inputs", "estimate", "selection", "transitions", "answers", "learned"})
"""Channels whose value is the JSON of a noun; every other channel holds plain JSON."""


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(Change)[name])


def from_json(stage: type[CallT], state: Mapping[str, Any]) -> CallT:
    """Return a call at the stage a node asks for.

    Raises
    ------
    KeyError
        When a part of it is missing.
    InvalidRequest
        When a LangChain message has no OpenAI form.
    pydantic.ValidationError
        When a part has not the shape of its noun, as after an edit by hand.
    """
    parts = {
        name: _adapter(name).validate_python(state[name]) if name in NOUNS else state[name]
        for name in stage.__dataclass_fields__
    }
    return stage(**parts | {"messages": to_openai(state["messages"])})


def to_json(change: Change) -> dict[str, Any]:
    """Return what a node gave back as the values of channels: JSON all through, the reply field by field."""
    update: dict[str, Any] = {}
    for name, value in change.items():
        if name == "reply":
            update.update(change["reply"])
        else:
            update[name] = _adapter(name).dump_python(value, mode="json") if name in NOUNS else value
    return update


def stage_of(node: Callable[..., Any]) -> type[Opened]:
    """Return the stage of a call that a node asks for: the type of its first parameter."""
    hints = get_type_hints(node)
    first: type[Opened] = next(iter(hints.values()))
    return first
