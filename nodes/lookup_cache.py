"""Open the call: check the request, stamp the clock, look for a cached answer."""

import secrets

from ..routing.plan.request import check_request
from ..state.names import check_call_id
from ..state.types import CascadeState, Context
from .services import Services


def new_call_id(now_ms: int) -> str:
    """Return a fresh call id that sorts by time: 12 hex digits of milliseconds, 16 of chance."""
    return f"{now_ms:012x}{secrets.token_hex(8)}"


async def lookup_cache(state: CascadeState, services: Services, context: Context) -> CascadeState:
    """Check the request and open its working memory. No cache is configured yet, so every call is a miss."""
    now = services.now()
    request = check_request(
        state, routers=services.routers.keys(), max_chars=services.limits.max_prompt_chars
    )
    call_id = state.get("call_id") or new_call_id(int(now.timestamp() * 1000))
    return CascadeState(  # type: ignore[no-any-return]
        **request,  # type: ignore[typeddict-item]  # `check_request` returns fields of a request only
        call_id=check_call_id(call_id),
        started_at=now.isoformat(),
        started_monotonic_s=services.clock_s(),
        cache_hit=None,
        max_escalations=max(
            0, min(context.max_escalations, services.routers[request["router"]].max_escalations, 5)
        ),
        explain_wanted=context.explain,
        attempts=[],
        held=[],
        verdicts=[],
        failed_models=[],
        escalations=0,
        fallbacks=0,
    )
