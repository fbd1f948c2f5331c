"""Look whether a call's answer was bought before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...routing.plan.cache_key import is_one_question, question_apart, request_key, why_uncacheable
from ...routing.plan.caching import caching_of
from ...routing.plan.org_settings import OrgSettings
from ...state.hits import CacheKeys, Hit
from ...state.log_context import OF_CALL
from ...state.org_wishes import OrgWishes, is_unstored
from ...state.types import JSONObject

if TYPE_CHECKING:
    from ..services import Services


@dataclass(frozen=True, slots=True)
class Found:
    """By what the answer of a call is found and kept, and the answer where it was."""

    keys: CacheKeys | None = None
    hit: Hit | None = None


NOTHING = Found()


def is_stored(wishes: OrgWishes, services: "Services") -> bool:
    """Return whether an org's answers are kept in the store: where its words may be written down."""
    return services.limits.store_prompts and wishes.keeps_words


async def look(  # noqa: PLR0913 - what a call is at its first node
    checked: Mapping[str, Any],
    sent: list[JSONObject],
    call_id: str,
    settings: OrgSettings,
    services: "Services",
    *,
    most_escalations: int,
) -> Found:
    """Return what caches know of a checked request; equal ones at the same time wait for the first.

    Raises
    ------
    InvalidRequest
        When the request asks for a cache that is kept off.
    """
    caching = caching_of(checked["cache"], checked["mode"], settings, services.limits.caching)
    caches = services.caches
    if caching is None or caches is None:
        return NOTHING
    if (hindrance := why_uncacheable(sent, checked["options"])) is not None:
        return Found(CacheKeys("", is_read=False, hindrance=hindrance))
    org, wishes = checked["org"], settings.wishes
    router = services.routers_of(org)[checked["router"]]
    rules = (most_escalations, wishes.quality_bar, wishes.judge)
    exact = request_key(checked, sent, router, rules)
    question, context = None, None
    if (
        caching.is_near
        and is_one_question(checked["options"])
        and (apart := question_apart(sent)) is not None
    ):
        question, rest = apart
        context = request_key(checked, rest, router, rules)
    keys = CacheKeys(exact, context, caching.is_read, caching.max_age_s)
    if not caching.is_read:
        return Found(keys)
    stored = is_stored(wishes, services)
    hit = await caches.find(org, keys, question, is_stored=stored, now=services.now())
    # Nobody waits for a call whose answer is not kept, and it waits for nobody.
    if hit is None and OF_CALL.get() == (org, call_id) and not is_unstored(checked["options"]):
        hit = await caches.flights.join(org, exact, call_id, services.limits.call_deadline_s / 2)
    caches.note(is_hit=hit is not None)
    return Found(keys, hit)
