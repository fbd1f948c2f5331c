"""GET /readyz: should calls be sent here."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from ...state.errors import StoreError
from ..deps import CascadeDep
from ..errors import error_body
from ..schemas import Problem

router = APIRouter(tags=["health"])

STORE_WITHIN_S = 2.0
"""How long the store may take to answer."""


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    response_class=JSONResponse,
    responses={503: {"model": Problem, "description": "Calls should go elsewhere."}},
    summary="Should calls be sent here",
)
async def readyz(request: Request, cascade: CascadeDep) -> JSONResponse:
    """Answer 200 where a call can be served, 503 with the reason while the gateway drains or its store fails."""
    if request.app.state.is_draining:
        return _told("draining")
    try:
        async with asyncio.timeout(STORE_WITHIN_S):
            await cascade.services.store.lives()
    except (StoreError, TimeoutError):
        return _told("the store does not answer")
    return JSONResponse({"status": "ready"})


def _told(reason: str) -> JSONResponse:
    return JSONResponse(error_body("not_ready", reason, kind="server_error"), status_code=503)
