"""Limits of keys and orgs at the door: a call is let in before anything is done for it, and leaves when it ends."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..graph.run import Cascade
from ..nodes.org.rates import LASTS_BEYOND_S, of_org, slot_of
from ..state.api_key import ApiKey
from ..state.errors import InvalidRequest, StoreError, TooManyRequests
from ..state.rates import Limited, Slot, headers_of
from ..state.types import Reply
from .receipts import note

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
    messages: Sequence[Mapping[str, Any]] = (),
    options: Mapping[str, Any] | None = None,
) -> Pass:
    """Return leave to make a call of an org, once key and org have room for it; the reply's head says how much.

    Raises
    ------
    TooManyRequests
        When one of them has none; nothing is counted then.
    """
    services = cascade.services
    settings = await services.org_settings.of(org, services.store, services.clock_s())
    owners = [of_org(org, settings.limits.rates)] if settings.limits.rates else []
    if key is not None and key.rates:
        owners.append(Limited(org, f"key:{key.family}", key.rates))
    if not owners:
        return Pass(cascade, org, None)
    slot = slot_of(owners, messages, options or {}, services.store.lease.holder)
    try:
        standings = await services.rates.take(slot, cascade.settings.call_deadline_s + LASTS_BEYOND_S)
    except TooManyRequests as error:
        note(headers=headers_of(error.standings))
        raise
    note(headers=headers_of(standings))
    return Pass(cascade, org, slot)
