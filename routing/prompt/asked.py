"""What a request asks for, apart from everything else that was said."""

from collections.abc import Mapping, Sequence
from typing import Any

from .tokens import content_text

_SYSTEM_ROLES = {"system", "developer"}
_NEWEST_USER_MESSAGES = 3
_MOST_CHARS = 8_000


def conversation_of(messages: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the messages without those of an operator; all of them where nobody else said anything.

    One system message stands before every question of an application: it tells nothing of this one.
    """
    return [message for message in messages if message.get("role") not in _SYSTEM_ROLES] or messages


def asked_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the texts of the system messages and of the newest three user messages, 8,000 characters of each kind.

    An instruction often stands some turns back ("and now more politely").
    """
    system = "\n".join(_text(message) for message in messages if message.get("role") in _SYSTEM_ROLES)
    users = [message for message in messages if message.get("role") == "user"][-_NEWEST_USER_MESSAGES:]
    asked = "\n".join(map(_text, users))
    return f"{system[:_MOST_CHARS]}\n{asked[-_MOST_CHARS:]}"


def _text(message: Mapping[str, Any]) -> str:
    return content_text(message.get("content"))
