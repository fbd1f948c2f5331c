"""How much a request asks of whoever answers it, before any model is considered: a documented score of 0 to 1.

    complexity = 1 - exp(-sum of the signals' points)

Every signal adds points of its own, so each alone raises the score; none lowers it. The score describes the request
to people; it is not fitted, and routing itself goes by `difficulty`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log2
from typing import Any

from .tokens import content_text, count_images, estimate_tokens

MessageList = Sequence[Mapping[str, Any]]

SIGNALS: dict[str, str] = {
    "message_length": "tokens of all messages: each doubling from 64 on counts",
    "conversation_depth": "turns of user and assistant beyond the first",
    "schema_requirements": "whether the answer must be JSON, and how many properties its schema names",
    "tool_definitions": "tools offered",
    "required_capabilities": "vision, a tool call that must be made, answers above 4,096 tokens, explicit reasoning",
}
"""What is looked at."""
_POINTS_PER_DOUBLING = 0.08
_POINTS_PER_TURN = 0.05
_POINTS_OF_JSON = 0.15
_POINTS_PER_PROPERTY = 0.02
_POINTS_PER_TOOL = 0.06
_POINTS_PER_CAPABILITY = 0.1
_FIRST_TOKENS = 64
_LONG_ANSWER_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Complexity:
    """How much a request asks."""

    score: float
    """0 for an empty request, towards 1."""
    points: dict[str, float]
    """What each of `SIGNALS` adds, 0 or more."""


def complexity_of(messages: MessageList, options: Mapping[str, Any]) -> Complexity:
    """Return the complexity of a chat request with the share of each signal."""
    tokens = sum(estimate_tokens(content_text(message.get("content"))) for message in messages)
    turns = sum(message.get("role") in {"user", "assistant"} for message in messages)
    points = {
        "message_length": _POINTS_PER_DOUBLING * log2(1.0 + tokens / _FIRST_TOKENS),
        "conversation_depth": _POINTS_PER_TURN * max(turns - 1, 0),
        "schema_requirements": _schema_points(options.get("response_format")),
        "tool_definitions": _POINTS_PER_TOOL * len(options.get("tools") or ()),
        "required_capabilities": _POINTS_PER_CAPABILITY * len(capabilities_of(messages, options)),
    }
    return Complexity(score=1.0 - exp(-sum(points.values())), points=points)


def capabilities_of(messages: MessageList, options: Mapping[str, Any]) -> list[str]:
    """Return which of vision, a tool call that must be made, long answers and explicit reasoning are required."""
    limit = options.get("max_completion_tokens") or options.get("max_tokens") or 0
    required = {
        "vision": count_images(messages) > 0,
        "tool_call": options.get("tool_choice") not in (None, "none", "auto"),
        "long_answer": limit > _LONG_ANSWER_TOKENS,
        "reasoning": options.get("reasoning_effort") not in {None, "none", "minimal", "low"},
    }
    return [name for name, is_required in required.items() if is_required]


def _schema_points(response_format: object) -> float:
    if not isinstance(response_format, Mapping) or response_format.get("type") in {None, "text"}:
        return 0.0
    return _POINTS_OF_JSON + _POINTS_PER_PROPERTY * count_properties(response_format)


def count_properties(schema: object) -> int:
    """Return how many properties a JSON schema names, those of nested objects included."""
    if isinstance(schema, list):
        return sum(map(count_properties, schema))
    if not isinstance(schema, Mapping):
        return 0
    own = schema.get("properties")
    return (len(own) if isinstance(own, Mapping) else 0) + sum(map(count_properties, schema.values()))
