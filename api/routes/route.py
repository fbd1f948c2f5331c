"""POST /route: one prompt through the cascade."""

from time import perf_counter
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ..deps import CascadeDep, KeyDep, org_of_call
from ..schemas import Problem, RouteReply, RouteRequest

router = APIRouter(tags=["route"])

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing or unknown."},
    422: {
        "model": Problem,
        "description": "A field breaks a rule, or hard constraints leave no model (nothing spent).",
    },
    502: {"model": Problem, "description": "Every eligible model failed."},
    503: {
        "model": Problem,
        "description": "Every eligible model is rate limited, or the store cannot be used.",
    },
    504: {"model": Problem, "description": "Every eligible model timed out."},
}


@router.post("/route", response_model=RouteReply, responses=PROBLEMS, summary="Route a prompt")
async def route(body: RouteRequest, cascade: CascadeDep, key: KeyDep) -> JSONResponse:
    """Send a prompt to the cheapest model that meets the quality bar, judge the answer, escalate if needed, learn."""
    began = perf_counter()
    request = body.model_dump(exclude_none=True)
    reply = await cascade.route({**request, "org": org_of_call(key, body.org)})  # type: ignore[typeddict-item]
    # Measured at the door: what the caller waits for includes the checkpoint written after the last node.
    reply["latency_ms"] = round((perf_counter() - began) * 1e3, 3)
    return JSONResponse(dict(reply))
