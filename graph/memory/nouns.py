"""The one pair of functions between a call's nouns and their JSON in LangGraph's channels and checkpoints.

Messages are channels' only values that need not be JSON: nodes see their OpenAI form.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter

from ...state.working_memory import Change, Opened
from .messages import openai_form

CallT = TypeVar("CallT", bound=Opened)

NOUNS = frozenset(
    {
        "opening",
        "recalled",
        "hit",
        "task",
        "inputs",
        "estimate",
        "selection",
        "transitions",
        "answers",
        "learned",
    }
)
"""Channels whose value is the JSON of a noun; every other channel holds plain JSON."""
MAY_BE_ABSENT = frozenset({"recalled", "conversation_id"})
"""Parts that a call has only where memory is on, and that calls of earlier versions have not."""


class _Object(dict[str, Any]):
    """The JSON of a noun that remembers it, so that the nodes of one run need not read it again.

    Whatever is made of it knows nothing of the noun: a copy, what a checkpoint gives back, what was edited by hand.
    """

    __slots__ = ("noun",)
    noun: Any

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class _Array(list[Any]):
    """The same for nouns in a row."""

    __slots__ = ("noun",)
    noun: Any

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (list(self),)


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
        name: noun_of(name, state[name]) if name in NOUNS else state[name]
        for name in stage.__dataclass_fields__
        if name not in MAY_BE_ABSENT or state.get(name) is not None
    }
    return stage(**parts | {"messages": openai_form(state["messages"])})


def noun_of(name: str, written: Any) -> Any:
    """Return the noun that the value of a channel stands for.

    Raises
    ------
    pydantic.ValidationError
        When it has not the shape of that noun.
    """
    if isinstance(written, _Object | _Array):
        return written.noun
    return _adapter(name).validate_python(written)


def to_json(change: Change) -> dict[str, Any]:
    """Return what a node gave back as the values of channels: JSON all through, the reply field by field."""
    update: dict[str, Any] = {}
    for name, value in change.items():
        if name == "reply":
            update.update(change["reply"])
        else:
            update[name] = _written(name, value) if name in NOUNS else value
    return update


def _written(name: str, noun: Any) -> Any:
    plain = _adapter(name).dump_python(noun, mode="json")
    if not isinstance(plain, dict | list):
        return plain
    written = _Object(plain) if isinstance(plain, dict) else _Array(plain)
    written.noun = noun
    return written


def stage_of(node: Callable[..., Any]) -> type[Opened]:
    """Return the stage of a call that a node asks for: the type of its first parameter."""
    hints = get_type_hints(node)
    first: type[Opened] = next(iter(hints.values()))
    return first
