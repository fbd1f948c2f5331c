"""Which model gave the newest answer of a conversation: clients send what was said, not who said it."""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from cachetools import LRUCache

from ...routing.plan.affinity import Author
from ...routing.prompt.tokens import content_text
from ...state.types import JSONObject

MOST_TURNS = 50_000
"""Turns of all orgs together that are remembered: those seen last."""


class ConversationBook:
    """Digests of question and answer with the answer's model, in this process; no words are kept.

    A conversation begun elsewhere, before a restart, or longer ago than `MOST_TURNS` turns has no known author. Older
    messages may be left out or rewritten: only the newest answer and the question before it are looked at.
    """

    def __init__(self, most_turns: int = MOST_TURNS) -> None:
        self._turns: LRUCache[bytes, Author] = LRUCache(most_turns)

    def remember(self, org: str, messages: Sequence[JSONObject], answer: JSONObject, author: Author) -> None:
        """Note who answered these messages."""
        self._turns[_digest(org, messages, answer)] = author

    def author(self, org: str, messages: Sequence[JSONObject]) -> Author | None:
        """Return who gave the newest answer among the messages; None where there is none or nothing is known of it."""
        newest = max(
            (index for index, message in enumerate(messages) if message.get("role") == "assistant"),
            default=None,
        )
        if newest is None:
            return None
        return self._turns.get(_digest(org, messages[:newest], messages[newest]))


def _digest(org: str, before: Sequence[JSONObject], answer: JSONObject) -> bytes:
    question = next((message for message in reversed(before) if message.get("role") == "user"), {})
    said = [org, content_text(question.get("content")), content_text(answer.get("content")), _calls(answer)]
    return blake2b(json.dumps(said).encode(), digest_size=16).digest()


def _calls(message: Mapping[str, Any]) -> list[Any]:
    """Return name and arguments of each tool call; clients write the rest in their own way."""
    calls = message.get("tool_calls")
    found = (
        [call.get("function") for call in calls if isinstance(call, Mapping)]
        if isinstance(calls, list)
        else []
    )
    return [[one.get("name"), one.get("arguments")] for one in found if isinstance(one, Mapping)]
