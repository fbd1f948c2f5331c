"""Limits of keys and orgs at the door: a call is let in before anything is done for it, and leaves when it ends."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from ..graph.run import Cascade
from ..nodes.org.rates import LASTS_BEYOND_S, of_org, slot_of
from ..state.api_key import ApiKey
from ..state.errors import InvalidRequest, StoreError, TooManyRequests, X25Error
from ..state.rates import Limited, Slot, Standing, beyond, headers_of
from ..state.types import Reply
from .receipts import note

Messages = Sequence[Mapping[str, Any]]

_several: WeakKeyDictionary[Cascade, asyncio.Lock] = WeakKeyDictionary()
"""Requests for several answers take their slots in turn, or each would keep the others from having all of theirs."""

_log = logging.getLogger(__name__)


class Pass:
    """Leave to make one call; nothing is counted of a call that no limit is on."""

    def __init__(self, cascade: Cascade, org: str, slot: Slot | None) -> None:
        self._cascade = cascade
        self._org = org
        self._slot = slot

    def follow(self, call: "asyncio.Task[Reply]") -> None:
        """Leave when the call ends, whoever waits for it; one that is refused counts as never made."""
        if self._slot is not None:
            call.add_done_callback(self._left)

    def _left(self, call: "asyncio.Task[Reply]") -> None:
        error = None if call.cancelled() else call.exception()
        self._cascade.chore(self._leave(call.get_name(), is_refused=isinstance(error, InvalidRequest)))

    async def done(self, *, tokens: int = 0) -> None:
        """Leave at once, after work that no call stands for."""
        if self._slot is not None:
            await self._cascade.services.rates.end(self._slot, tokens)

    async def refused(self) -> None:
        """Have it count as never made."""
        if self._slot is not None:
            await self._cascade.services.rates.give_back(self._slot)

    async def _leave(self, call_id: str, *, is_refused: bool) -> None:
        assert self._slot is not None
        services = self._cascade.services
        try:
            if is_refused:
                await services.rates.give_back(self._slot)
                return
            counts_tokens = any(one.rates.tokens_per_minute for one in self._slot.owners)
            tokens = await services.store.attempts.tokens_of_call(self._org, call_id) if counts_tokens else 0
            await services.rates.end(self._slot, tokens)
        except StoreError as error:
            _log.warning("a call that ended stays counted as under way until its time is over: %s", error)


async def admitted(
    cascade: Cascade,
    key: ApiKey | None,
    org: str,
    messages: Messages = (),
    options: Mapping[str, Any] | None = None,
) -> Pass:
    """Return leave to make a call of an org, once key and org have room for it; the reply's head says how much.

    Raises
    ------
    TooManyRequests
        When one of them has none; nothing is counted then.
    """
    (leave,) = await all_admitted(cascade, key, org, [(messages, options or {})])
    return leave


async def all_admitted(
    cascade: Cascade, key: ApiKey | None, org: str, asked: Sequence[tuple[Messages, Mapping[str, Any]]]
) -> list[Pass]:
    """Return leave for every call of a request, or for none; `asked` = messages and options of each.

    Raises
    ------
    TooManyRequests
        When key or org has no room for all; nothing is counted then.
    InvalidRequest
        When neither ever will have: waiting would not help.
    """
    owners = await _owners(cascade, key, org)
    if not owners:
        return [Pass(cascade, org, None) for _ in asked]
    holder = cascade.services.store.lease.holder
    slots = [slot_of(owners, messages, options, holder) for messages, options in asked]
    if len(slots) > 1 and (never := beyond(owners, [slot.tokens for slot in slots])) is not None:
        raise InvalidRequest(f"{never}, and {len(slots)} answers at once are more", field="n")
    if len(slots) == 1:
        note(headers=headers_of(await _taken(cascade, slots)))
    else:
        async with _several.setdefault(cascade, asyncio.Lock()):
            note(headers=headers_of(await _taken(cascade, slots)))
    return [Pass(cascade, org, slot) for slot in slots]


async def _taken(cascade: Cascade, slots: Sequence[Slot]) -> list[Standing]:
    """Take all slots, or none; return where their owners stand then."""
    rates, taken, standings = cascade.services.rates, list[Slot](), list[Standing]()
    try:
        for slot in slots:  # one after the other: whoever is let in must be let out again
            standings = await rates.take(slot, cascade.settings.call_deadline_s + LASTS_BEYOND_S)
            taken.append(slot)
    except X25Error as error:
        for slot in taken:
            await rates.give_back(slot)
        if isinstance(error, TooManyRequests):
            note(headers=headers_of([one.without(taken) for one in error.standings]))
        raise
    return standings


async def _owners(cascade: Cascade, key: ApiKey | None, org: str) -> list[Limited]:
    """Return who of a call's org and key is limited."""
    services = cascade.services
    settings = await services.org_settings.of(org, services.store, services.clock_s())
    owners = [of_org(org, settings.limits.rates)] if settings.limits.rates else []
    if key is not None and key.rates:
        owners.append(Limited(org, f"key:{key.family}", key.rates))
    return owners
