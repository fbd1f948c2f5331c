"""POST /route: one prompt through the cascade."""

from time import perf_counter
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ..deps import CallerDep, CascadeDep, org_of_call
from ..schemas import Problem, RouteReply, RouteRequest
from ..vendor_words import without_vendor_words

router = APIRouter(tags=["route"])

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing or unknown."},
    404: {"model": Problem, "description": "No router or model goes by that name."},
    408: {"model": Problem, "description": "The body did not arrive in time."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {
        "model": Problem,
        "description": "A field breaks a rule, or hard constraints leave no model (nothing spent).",
    },
    429: {
        "model": Problem,
        "description": "The key asked as often as it may; Retry-After says how long to wait.",
    },
    502: {"model": Problem, "description": "Every eligible model failed."},
    503: {
        "model": Problem,
        "description": "Every eligible model is rate limited, or the store cannot be used.",
    },
    504: {"model": Problem, "description": "Every eligible model timed out."},
}


@router.post("/route", response_model=RouteReply, responses=PROBLEMS, summary="Route a prompt")
async def route(body: RouteRequest, cascade: CascadeDep, key: CallerDep) -> JSONResponse:
    """Send a prompt to the cheapest model that meets the quality bar, judge the answer, escalate if needed, learn."""
    began = perf_counter()
    request = body.model_dump(exclude_none=True)
    reply = await cascade.route({**request, "org": org_of_call(key, body.org)})  # type: ignore[typeddict-item]
    if not cascade.settings.keeps_text:
        reply = without_vendor_words(reply)
    # Measured at the door: what the caller waits for includes the checkpoint written after the last node.
    reply["latency_ms"] = round((perf_counter() - began) * 1e3, 3)
    return JSONResponse(dict(reply))
