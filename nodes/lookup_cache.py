"""Open the call: check the request, stamp the clock, look for a cached answer."""

import asyncio
import secrets

from ..routing.plan.request import check_fields, check_request, check_schemas, named_schemas
from ..state.names import check_call_id
from ..state.types import Context, Request
from ..state.working_memory import Change, Opening
from .services import Services


def new_call_id(now_ms: int) -> str:
    """Return a fresh call id that sorts by time: 12 hex digits of milliseconds, 16 of chance."""
    return f"{now_ms:012x}{secrets.token_hex(8)}"


async def lookup_cache(request: Request, services: Services, context: Context) -> Change:
    """Check the request and open its working memory. No cache is configured yet, so every call is a miss."""
    now = services.now()
    check_fields(request)
    checked = check_request(
        request, routers=services.routers.keys(), max_chars=services.limits.max_prompt_chars
    )
    if any(named_schemas(checked["options"])):
        await asyncio.to_thread(check_schemas, checked["options"])
    call_id = request.get("call_id")
    if call_id is None:
        call_id = new_call_id(int(now.timestamp() * 1000))
    most_escalations = services.routers[checked["router"]].max_escalations
    return Change(
        org=checked["org"],
        call_id=check_call_id(call_id),
        messages=checked["messages"],
        options=checked["options"],
        optimize_for=checked["optimize_for"],
        policy=checked["policy"],
        router=checked["router"],
        opening=Opening(
            started_at=now,
            started_monotonic_s=services.clock_s(),
            max_escalations=max(0, min(context.max_escalations, most_escalations, 5)),
            explain=context.explain,
            hint=checked["hint"],
            memory_hit=checked["memory_hit"],
        ),
        transitions=(),
        answers=(),
        learned=(),
    )
