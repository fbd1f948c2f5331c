"""GET /stage: how far an org's learning has come."""

from fastapi import APIRouter

from ...routing.belief.stage import stage_of
from ..deps import CascadeDep, KeyDep, org_to_read
from ..report_schemas import Stage

router = APIRouter(tags=["reports"])


@router.get("/stage/{project}", summary="Stage of one project")
async def stage(project: str, cascade: CascadeDep, key: KeyDep) -> Stage:
    """Return the stage derived from the org's number of calls."""
    count = await cascade.services.store.orgs.call_count(org_to_read(key, project))
    return Stage(**stage_of(count).to_json())
