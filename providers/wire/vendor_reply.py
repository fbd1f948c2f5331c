"""From what a vendor answered with status 200 to a completion, or to the failure that it hides in there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors_map import HttpAnswer, error_from_response
from .json_text import parse_json
from .reply import ChatReply, chat_reply


def reply_in(
    answer: HttpAnswer, deployment: str, options: Mapping[str, Any], secret: str | None
) -> ChatReply:
    """Return the completion in an answer of status 200, or raise what it says went wrong."""
    payload = parse_json(answer.body, deployment)
    refuse_error_within(payload, answer, deployment, secret)
    return chat_reply(payload, deployment, options)


def refuse_error_within(payload: Any, answer: HttpAnswer, deployment: str, secret: str | None) -> None:
    """Raise the failure of an upstream that some aggregators report inside a 200, or in the middle of a stream."""
    if isinstance(payload, dict) and payload.get("error") and not payload.get("choices"):
        within = replace(answer, status=_status_within(payload["error"]))
        raise error_from_response(within, deployment=deployment, secret=secret)


def _status_within(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 502
