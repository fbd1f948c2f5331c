"""From what a vendor answered with status 200 to a completion, or to the failure that it hides in there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors_map import HttpAnswer, error_from_response
from ..refusal_words import STATUS_OF_WORD
from .assembly import Assembly
from .events import DONE, EventReader
from .json_text import parse_json
from .reply import ChatReply, chat_reply


def reply_in(
    answer: HttpAnswer, deployment: str, options: Mapping[str, Any], secret: str | None
) -> ChatReply:
    """Return the completion in an answer of status 200, or raise what it says went wrong."""
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    if body.lstrip().startswith(_EVENTS):
        return _streamed(answer, body, deployment, options, secret)
    payload = parse_json(answer.body, deployment)
    refuse_error_within(payload, answer, deployment, secret)
    return chat_reply(payload, deployment, options)


def _streamed(
    answer: HttpAnswer, body: bytes, deployment: str, options: Mapping[str, Any], secret: str | None
) -> ChatReply:
    """Return the completion in the events of a vendor that streams whatever it is asked for, or calls them JSON."""
    events, assembly = EventReader(deployment), Assembly(options, deployment)
    for data in (*events.feed(body), *events.rest()):
        if data == DONE:
            assembly.close()
            break
        chunk = parse_json(data, deployment)
        refuse_error_within(chunk, replace(answer, body=data), deployment, secret)
        assembly.add(chunk)
    assembly.rest()
    return assembly.reply()


def refuse_error_within(payload: Any, answer: HttpAnswer, deployment: str, secret: str | None) -> None:
    """Raise the failure of an upstream that some aggregators report inside a 200, or in the middle of a stream."""
    if isinstance(payload, dict) and payload.get("error") and not payload.get("choices"):
        within = replace(answer, status=_status_within(payload["error"]))
        raise error_from_response(within, deployment=deployment, secret=secret)


_EVENTS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a stream of events begins, and no JSON."""
WHERE_NAMED = ("code", "type", "status")


def _status_within(error: Any) -> int:
    """Return the status that an error stands for; 502 where it says none that is known."""
    for name in WHERE_NAMED if isinstance(error, dict) else ():
        said = str(error.get(name)).strip().lower()
        if said.isdecimal() and 400 <= int(said[:4]) <= 599:
            return int(said[:4])
        if said in STATUS_OF_WORD:
            return STATUS_OF_WORD[said]
    return 502
