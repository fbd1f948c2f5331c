"""An org's limits a minute, for calls that came through no door: a place is taken when a call opens, left when it ends.

The HTTP doors take theirs before anything is done, since a key is limited, too, and the head of a reply says how much
is left; they tell so in the call's context. Both ways count in one place (`Services.rates`), so that neither is a way
around the other.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...routing.plan.org_settings import OrgSettings
from ...routing.prompt.tokens import estimate_prompt_tokens
from ...state.errors import StoreError
from ...state.rates import NO_RATES, Limited, Rates, Slot, slot_name
from ...state.types import TOKEN_LIMITS, Context, DoorContext
from ...state.working_memory import Opened

if TYPE_CHECKING:
    from ..services import Services

LASTS_BEYOND_S = 30.0
"""How much longer than a call may take its place is kept where its process died."""

_log = logging.getLogger(__name__)


def of_org(org: str, rates: Rates) -> Limited:
    """Return an org as whose calls are limited."""
    return Limited(org, "org", rates)


def slot_of(
    owners: Sequence[Limited], messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any], holder: str
) -> Slot:
    """Return the slot that a call takes of its owners; its name says which process holds it."""
    counts_tokens = any(one.rates.tokens_per_minute for one in owners)
    return Slot(
        slot_name(holder, secrets.token_hex(12)),
        tuple(owners),
        _estimate(messages, options) if counts_tokens else 0,
    )


async def take_place(
    org: str,
    settings: OrgSettings,
    services: "Services",
    messages: Sequence[Mapping[str, Any]] = (),
    options: Mapping[str, Any] | None = None,
) -> str | None:
    """Take a call's place among its org's; return its name, None where the org has no limits.

    Raises
    ------
    TooManyRequests
        When the org has no room; nothing is counted then.
    """
    if not settings.limits.rates:
        return None
    slot = slot_of([of_org(org, settings.limits.rates)], messages, options or {}, services.store.lease.holder)
    await services.rates.take(slot, services.limits.call_deadline_s + LASTS_BEYOND_S)
    return slot.slot_id


async def place_of_call(
    checked: Mapping[str, Any], settings: OrgSettings, services: "Services", context: Context
) -> str | None:
    """Return the place of a call that begins, as `take_place`; None, too, where its door has counted it."""
    if isinstance(context, DoorContext) and context.is_counted:
        return None
    return await take_place(checked["org"], settings, services, checked["messages"], checked["options"])


async def leave(call: Opened, services: "Services", tokens: int = 0) -> None:
    """Leave a call's place, having taken so many tokens; one that cannot be left is free once its time is over."""
    if call.opening.place is None:
        return
    try:
        await services.rates.end(Slot(call.opening.place, (of_org(call.org, NO_RATES),), 0), tokens)
    except StoreError as error:
        _log.warning("a call that ended stays counted as under way until its time is over: %s", error)


def _estimate(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> int:
    """Return how many tokens a call may take: its prompt, and the longest answer where it names a limit."""
    limits = [options.get(name) for name in TOKEN_LIMITS]
    answer = max((one for one in limits if isinstance(one, int)), default=0)
    try:
        return estimate_prompt_tokens(messages, options) + max(0, answer)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0  # nothing is checked yet: the call itself says what is wrong, and then counts as never made
