"""A request, checked, with what its org set for it."""

import asyncio
from typing import TYPE_CHECKING, Any

from ...routing.plan.org_settings import OrgSettings
from ...routing.plan.request import check_request, check_schemas, named_schemas
from ...state.types import Request
from .chains import require_counted

if TYPE_CHECKING:
    from ..services import Services


async def checked_request(
    request: Request, org: str, settings: OrgSettings, services: "Services"
) -> dict[str, Any]:
    """Return the checked request, its weights the org's where it names none; InvalidRequest names the field."""
    require_counted(request)
    if request.get("optimize_for") is None and settings.optimize_for is not None:
        request = {**request, "optimize_for": settings.optimize_for}
    routers = services.routers_of(org)
    checked = check_request(request, routers=routers, max_chars=services.limits.max_prompt_chars)
    if any(named_schemas(checked["options"])):
        await asyncio.to_thread(check_schemas, checked["options"])
    return checked
