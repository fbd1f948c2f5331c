"""What a conversation's turns are known by: digests of what was said, however a client writes it.

System and developer messages are no part of it: a client may change them, or send the date in them, as it goes on.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ...state.types import JSONObject
from ..prompt.tokens import content_text

LEAST_PAIR_CHARS = 40
"""A question and its answer shorter than this, together, are said in many conversations."""
_UNSPOKEN = frozenset({"system", "developer"})
_BYTES = 16


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of a request's messages; every digest is of org and user, too."""

    answered: tuple[bytes, ...]
    """Of the conversation up to and with each of its answers, the newest first."""
    whole: bytes
    """Of all of it, with the question that waits for an answer."""
    newest_pair: bytes | None
    """Of the newest answer and its question alone; None where there is none, or both are short."""


def turns_of(org: str, user: str | None, messages: Sequence[JSONObject]) -> Turns:
    """Return the turns of some messages; `user` is who speaks, where the request says so."""
    running, answered = _begun(org, user), list[bytes]()
    for message in messages:
        if message.get("role") not in _UNSPOKEN:
            running.update(said(message))
            if message.get("role") == "assistant":
                answered.append(running.digest())
    return Turns(tuple(reversed(answered)), running.digest(), _newest_pair(org, user, messages))


def turn_key(org: str, user: str | None, messages: Sequence[JSONObject], answer: JSONObject) -> bytes:
    """Return the digest of a conversation once `messages` have got their answer."""
    return turns_of(org, user, [*messages, {**answer, "role": "assistant"}]).answered[0]


def said(message: Mapping[str, Any]) -> bytes:
    """Return who said what, and called which tools; clients write the rest of a message in their own way."""
    text = content_text(message.get("content")).strip().encode("utf-8", "surrogatepass")
    calls = _calls(message)
    head = f"{message.get('role')} {len(text)} {json.dumps(calls) if calls else ''}\n"
    return head.encode("utf-8", "surrogatepass") + text


def _begun(org: str, user: str | None) -> Any:
    return blake2b(json.dumps([org, user]).encode(), digest_size=_BYTES)


def _newest_pair(org: str, user: str | None, messages: Sequence[JSONObject]) -> bytes | None:
    answers = [index for index, message in enumerate(messages) if message.get("role") == "assistant"]
    if not answers:
        return None
    before = messages[: answers[-1]]
    question = next((message for message in reversed(before) if message.get("role") == "user"), None)
    if question is None:
        return None
    answer = messages[answers[-1]]
    texts = content_text(question.get("content")) + content_text(answer.get("content"))
    if len(texts) < LEAST_PAIR_CHARS:
        return None
    running = _begun(org, user)
    running.update(said(question) + said(answer))
    pair: bytes = running.digest()
    return pair


def _calls(message: Mapping[str, Any]) -> list[Any]:
    calls = message.get("tool_calls")
    found = (
        [call.get("function") for call in calls if isinstance(call, Mapping)]
        if isinstance(calls, list)
        else []
    )
    return [[one.get("name"), one.get("arguments")] for one in found if isinstance(one, Mapping)]
