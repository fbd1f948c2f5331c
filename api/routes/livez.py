"""GET /livez: does this process answer at all. A supervisor that hears nothing restarts it."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

router = APIRouter(tags=["health"])


@router.head("/livez", include_in_schema=False)
@router.get("/livez", response_class=PlainTextResponse, summary="Is the process alive")
async def livez() -> PlainTextResponse:
    """Answer 200 as long as the event loop turns, also while the gateway drains or its store fails."""
    return PlainTextResponse("ok")
