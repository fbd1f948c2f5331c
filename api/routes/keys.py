"""GET /keys/me: whose key is this."""

from fastapi import APIRouter

from ...state.errors import Unauthorized
from ..deps import KeyDep
from ..schemas import KeyInfo

router = APIRouter(tags=["keys"])


@router.get("/keys/me", summary="Who this key belongs to")
async def who_am_i(key: KeyDep) -> KeyInfo:
    """Return the org of the presented key."""
    if key is None:
        raise Unauthorized("no API key was sent: send it as 'Authorization: Bearer sk-x25-…'")
    return KeyInfo(org=key.org, rate_limit_rpm=key.rate_limit_rpm, created_at=key.created_at.isoformat())
