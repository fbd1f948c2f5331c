"""Responses that are remembered: to be read, to be gone on from, and the items in them."""

import asyncio
from collections.abc import Awaitable, Callable

from ...graph.memory.remembered import RememberedAnswers
from ...state.errors import NotFound
from ...state.types import JSONObject, Reply
from .responses_reply import KIND_TO_PREFIX, MESSAGE, RESPONSE, response_of
from .responses_request import ResponseRequest

HOW = "it was never stored, is too old, or was answered by another process: send the conversation as input"


Conversation = Callable[[str, str], Awaitable[list[JSONObject] | None]]
"""Returns what was said up to the answer of a call, given its org and its id."""


class PreviousResponseNotFound(NotFound):
    """No response that can be gone on from has this id."""

    code = "previous_response_not_found"
    field = "previous_response_id"


class ResponseNotFound(NotFound):
    """No response of the org that is remembered has this id."""

    code = "response_not_found"
    field = "response_id"


class Keeper:
    """Has a response remembered: as soon as it was told, and once more when its call has ended.

    Parameters
    ----------
    said
        The conversation that it answers.
    """

    def __init__(self, memory: RememberedAnswers, body: ResponseRequest, said: list[JSONObject]) -> None:
        self._memory = memory
        self._body = body
        self._said = said
        self._is_told = False

    def told(self, org: str, call_id: str, response: JSONObject, message: JSONObject) -> None:
        """Keep a response whose stream was told to its end: a judge may be at work on it still."""
        self._is_told = True
        self._memory.remember(org, call_id, [*self._said, message], response)

    def ended(self, call: asyncio.Task[Reply]) -> None:
        """Keep it as it became, unless it was deleted meanwhile, or came to nothing."""
        if call.cancelled() or call.exception() is not None:
            return
        reply = call.result()
        org, call_id = reply["org"], reply["call_id"]
        if not self._is_told or self._memory.told(org, call_id) is not None:
            self._memory.remember(
                org, call_id, [*self._said, reply["message"]], response_of(reply, self._body)
            )


def call_of(response_id: str) -> str | None:
    """Return the id of the call that a response came from; None for the id of none."""
    return response_id.removeprefix(RESPONSE) if response_id.startswith(RESPONSE) else None


async def earlier_messages(conversation: Conversation, org: str, response_id: str | None) -> list[JSONObject]:
    """Return the conversation that ends with a response; nothing for None.

    Raises
    ------
    PreviousResponseNotFound
        When it is not remembered.
    """
    if response_id is None:
        return []
    call_id = call_of(response_id)
    found = None if call_id is None else await conversation(org, call_id)
    if found is None:
        raise PreviousResponseNotFound(
            f"previous_response_id: no response {response_id!r} is remembered; {HOW}"
        )
    return found


def item_of(memory: RememberedAnswers, org: str, item_id: str) -> JSONObject | None:
    """Return an item of a remembered answer as a chat message; None where it is not known."""
    prefix, call_id, number = _parts(item_id)
    if prefix is None:
        return None
    conversation = memory.conversation(org, call_id)
    if not conversation:
        return None
    answer = conversation[-1]
    if prefix == MESSAGE:
        return {name: value for name, value in answer.items() if name != "tool_calls"}
    calls = answer.get("tool_calls") or []
    if not number.isdecimal() or int(number) >= len(calls):
        return None
    return {"role": "assistant", "content": None, "tool_calls": [calls[int(number)]]}


def calls_named(body: ResponseRequest) -> set[str]:
    """Return the ids of the calls whose answers a request goes on from, or has items of."""
    items = body.input if isinstance(body.input, list) else []
    ids = [one.get("id") for one in items if isinstance(one, dict) and one.get("type") == "item_reference"]
    found = {_parts(one)[1] for one in ids if isinstance(one, str)}
    return found | {call_of(body.previous_response_id or "") or ""}


def _parts(item_id: str) -> tuple[str | None, str, str]:
    """Return what the id of an item says: of which kind it is, None for no id of ours, of which call, and which one."""
    prefix = next((one for one in (MESSAGE, *KIND_TO_PREFIX.values()) if item_id.startswith(one)), None)
    rest = item_id.removeprefix(prefix or "")
    call_id, _, number = (rest, "", "") if prefix in (MESSAGE, None) else rest.rpartition("_")
    return prefix, call_id, number
