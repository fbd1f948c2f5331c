"""Open the call: check the request, stamp the clock, look for its conversation, what is remembered, and its answer."""

import secrets
from collections.abc import Mapping
from typing import Any

from ..routing.plan.request import check_fields
from ..state.names import check_call_id, check_org
from ..state.recalled import with_block
from ..state.types import Context, Request
from ..state.working_memory import Change, Opening
from .cache.lookup import look
from .org.ceilings import ceilings_on, check_limits
from .org.checked import checked_request
from .org.conversations import conversation_of
from .org.memory import recall
from .org.rates import place_of_call
from .services import Services


def new_call_id(now_ms: int) -> str:
    """Return a fresh call id that sorts by time: 12 hex digits of milliseconds, 16 of chance."""
    return f"{now_ms:012x}{secrets.token_hex(8)}"


async def lookup_cache(request: Request, services: Services, context: Context) -> Change:
    """Check the request, open its working memory, and look whether its answer was bought before."""
    check_fields(request)
    org = check_org("default" if request.get("org") is None else request["org"])
    settings = await services.org_settings.of(org, services.store, services.clock_s())
    checked = await checked_request(request, org, settings, services)
    imposed = ceilings_on(settings, context)
    check_limits(checked, settings, imposed, services.limits)
    now, began_s, call_id = services.now(), services.clock_s(), request.get("call_id")
    call_id = check_call_id(new_call_id(int(now.timestamp() * 1000)) if call_id is None else call_id)
    recalled = await recall(checked, services, now, settings)
    most_escalations = _most_escalations(checked, context, services)
    sent = checked["messages"] if recalled is None else with_block(checked["messages"], recalled.block)
    found = await look(checked, sent, call_id, settings, services, most_escalations=most_escalations)
    conversation_id = await conversation_of(checked, call_id, services)
    wishes = settings.wishes.of_call(checked["options"])
    change = Change(
        org=checked["org"], call_id=call_id, messages=checked["messages"], options=checked["options"],
        conversation_id=conversation_id, optimize_for=checked["optimize_for"],
        policy=checked["policy"], router=checked["router"], transitions=(), answers=(), learned=(),
        opening=Opening(
            started_at=now, started_monotonic_s=began_s, max_escalations=most_escalations,
            explain=context.explain, hint=checked["hint"], imposed=imposed, wishes=wishes,
            user_id=checked["user_id"], start=checked["start"], cache=found.keys,
            memory_hit=checked["memory_hit"] or (recalled is not None and recalled.helps),
            place=await place_of_call(checked, settings, services, context),  # the last thing that can refuse it
        ),
    )  # fmt: skip
    if recalled is not None:
        change["recalled"] = recalled
    if found.hit is not None:
        change["hit"] = found.hit
    return change if (asked := request.get("memory")) is None else change | Change(memory=asked)


def _most_escalations(checked: Mapping[str, Any], context: Context, services: Services) -> int:
    if checked["start"].model_id is not None:
        return 0
    router = services.routers_of(checked["org"])[checked["router"]]
    return max(0, min(context.max_escalations, router.max_escalations, 5))
