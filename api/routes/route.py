"""POST /route: one prompt through the cascade."""

import asyncio
from time import perf_counter
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...state.types import DoorContext
from ..deps import (
    CallerDep,
    CascadeDep,
    ceilings_of,
    org_of_call,
)
from ..encoding import JsonReply
from ..heads import HeadsDep
from ..limits import admitted
from ..receipts import note, receipt_headers
from ..schemas import Problem, RouteReply, RouteRequest, given
from ..vendor_words import without_vendor_words

router = APIRouter(tags=["route"])

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing or unknown."},
    402: {"model": Problem, "description": "A ceiling of the key or the org is reached (nothing spent)."},
    403: {"model": Problem, "description": "The key may not make calls."},
    404: {"model": Problem, "description": "No router or model goes by that name."},
    408: {"model": Problem, "description": "The body did not arrive in time."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {
        "model": Problem,
        "description": "A field breaks a rule, or hard constraints leave no model (nothing spent).",
    },
    429: {
        "model": Problem,
        "description": "The key or the org asked as often as it may, or for as many tokens; Retry-After says how long "
        "to wait.",
    },
    502: {"model": Problem, "description": "Every eligible model failed."},
    503: {
        "model": Problem,
        "description": "Every eligible model is rate limited, the gateway is overloaded (nothing was done; Retry-After "
        "says how long to wait), or the store cannot be used.",
    },
    504: {"model": Problem, "description": "Every eligible model timed out."},
}


@router.post("/route", response_model=RouteReply, responses=PROBLEMS, summary="Route a prompt")
async def route(body: RouteRequest, cascade: CascadeDep, key: CallerDep, heads: HeadsDep) -> Response:
    """Send a prompt to the cheapest model that meets the quality bar, judge the answer, escalate if needed, learn."""
    began = perf_counter()
    org = org_of_call(key, body.org)
    asked = {**given(body), **heads.over(body.conversation_id, body.mode, body.cache), "org": org}
    messages = body.messages or [{"role": "user", "content": body.prompt}]
    leave = await admitted(cascade, key, org, messages, body.options)
    call = cascade.begin(asked, DoorContext(imposed=ceilings_of(key), is_counted=True))  # type: ignore[arg-type]
    leave.follow(call)
    note(org=org, call_id=call.get_name())
    reply = await asyncio.shield(call)
    if not cascade.settings.keeps_text:
        reply = without_vendor_words(reply)
    # Measured at the door: what the caller waits for includes the checkpoint written after the last node.
    reply["latency_ms"] = round((perf_counter() - began) * 1e3, 3)
    return JsonReply(reply, headers=receipt_headers(reply))
