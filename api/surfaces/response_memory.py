"""Responses that are kept: to be read, to be gone on from, and the items in them."""

import asyncio
from collections.abc import Iterator

from ...graph.run import Cascade
from ...state.errors import NotFound
from ...state.responses import KeptResponse
from ...state.types import JSONObject, Reply
from .responses_reply import KIND_TO_PREFIX, MESSAGE, RESPONSE, response_of
from .responses_request import Earlier, ResponseRequest


class PreviousResponseNotFound(NotFound):
    """No response that can be gone on from has this id."""

    code = "previous_response_not_found"
    field = "previous_response_id"


class ResponseNotFound(NotFound):
    """No response of the org that is kept has this id."""

    code = "response_not_found"
    field = "response_id"


class Keeper:
    """Has a response known as soon as it was told, and kept when its call has ended.

    Parameters
    ----------
    said
        The conversation that it answers.
    """

    def __init__(self, cascade: Cascade, body: ResponseRequest, said: list[JSONObject]) -> None:
        self._cascade = cascade
        self._body = body
        self._said = said
        self._is_told = False
        self._writing: asyncio.Task[None] | None = None

    def told(self, org: str, call_id: str, response: JSONObject, message: JSONObject) -> None:
        """Know a response whose stream was told to its end: a judge may be at work on it still."""
        self._is_told = True
        self._cascade.responses.note(org, call_id, KeptResponse([*self._said, message], response))

    def ended(self, call: asyncio.Task[Reply]) -> None:
        """Keep it as it became, unless it was deleted meanwhile, or came to nothing."""
        if call.cancelled() or call.exception() is not None:
            return
        reply = call.result()
        org, call_id = reply["org"], reply["call_id"]
        if self._is_told and not self._cascade.responses.is_noted(org, call_id):
            return
        kept = KeptResponse([*self._said, reply["message"]], response_of(reply, self._body))
        self._writing = self._cascade.chore(self._cascade.responses.keep(org, call_id, kept))

    async def written(self) -> None:
        """Return once it is kept: its caller may ask another process for it at once."""
        if self._writing is not None:
            await asyncio.shield(self._writing)


def call_of(response_id: str) -> str | None:
    """Return the id of the call that a response came from; None for the id of none."""
    return response_id.removeprefix(RESPONSE) if response_id.startswith(RESPONSE) else None


async def kept_response(cascade: Cascade, org: str, response_id: str) -> KeptResponse:
    """Return a response with what it answered; ResponseNotFound, which says why, where it is not kept."""
    call_id = call_of(response_id)
    found = None if call_id is None else await cascade.responses.find(org, call_id)
    if found is None:
        raise await unknown(cascade, org, response_id)
    return found


async def unknown(cascade: Cascade, org: str, response_id: str) -> ResponseNotFound:
    """Return the error that says why there is no such response."""
    why = await cascade.responses.why_unknown(org)
    return ResponseNotFound(f"no response {response_id!r} is kept: {why}")


async def earlier_messages(cascade: Cascade, org: str, response_id: str | None) -> list[JSONObject]:
    """Return the conversation that ends with a response; nothing for None.

    Raises
    ------
    PreviousResponseNotFound
        When it is not kept.
    """
    if response_id is None:
        return []
    call_id = call_of(response_id)
    found = None if call_id is None else await cascade.responses.find(org, call_id)
    if found is None:
        why = await cascade.responses.why_unknown(org)
        raise PreviousResponseNotFound(
            f"previous_response_id: no response {response_id!r} is kept: {why}. Send the conversation as input"
        )
    return found.messages


async def items_of(cascade: Cascade, org: str, given: object) -> Earlier:
    """Return a function that returns the items which a request's `input` refers to by their ids."""
    named = dict.fromkeys(_referred(given))
    found = {item_id: await _item(cascade, org, item_id) for item_id in named}
    return found.get


def _referred(given: object) -> Iterator[str]:
    for item in given if isinstance(given, list) else ():
        if (
            isinstance(item, dict)
            and item.get("type") == "item_reference"
            and isinstance(item.get("id"), str)
        ):
            yield item["id"]


async def _item(cascade: Cascade, org: str, item_id: str) -> JSONObject | None:
    """Return an item of a kept answer as a chat message; None where it is not known."""
    prefix = next((one for one in (MESSAGE, *KIND_TO_PREFIX.values()) if item_id.startswith(one)), None)
    if prefix is None:
        return None
    rest = item_id.removeprefix(prefix)
    call_id, _, number = (rest, "", "") if prefix == MESSAGE else rest.rpartition("_")
    found = await cascade.responses.find(org, call_id)
    if found is None:
        return None
    answer = found.messages[-1]
    if prefix == MESSAGE:
        return {name: value for name, value in answer.items() if name != "tool_calls"}
    calls = answer.get("tool_calls") or []
    if not number.isdecimal() or int(number) >= len(calls):
        return None
    return {"role": "assistant", "content": None, "tool_calls": [calls[int(number)]]}
