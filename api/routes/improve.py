"""/improve: training data from an org's own calls, and models of its own in the pool."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from ...graph.improvements import Improver, ask_for_improvement, is_in_memory
from ...graph.own_models import Registration, check_address, register, unregister
from ...graph.run import Cascade
from ...graph.training_folders import delete_folder, file_of, folder_of
from ...nodes.org.own_models import LOOK_EVERY_S
from ...routing.belief.stage import FINE_TUNE_STAGE, STAGE_STARTS, require_stage, stage_of
from ...state.api_key import ApiKey
from ...state.errors import Forbidden, InvalidRequest
from ...state.gathering import Gathering
from ...state.improvements import Improvement
from ...state.own_models import OwnModel
from ..deps import CascadeDep, KeyDep, org_to_read
from ..improve_schemas import (
    Improvements,
    ImproveRequest,
    Job,
    OptOut,
    OwnModelInfo,
    Registered,
    RegisterRequest,
)
from ..origins import LOOPBACK_HOSTS

router = APIRouter(tags=["improve"])


@router.post("/improve/{project}", status_code=202, summary="Gather training data from good calls")
async def improve(
    project: str, request: Request, cascade: CascadeDep, key: KeyDep, body: ImproveRequest | None = None
) -> Job:
    """Queue a job that writes examples and scripts, from stage 4 on; a second request gets the job under way."""
    org, store = org_to_read(key, project, "improve"), cascade.services.store
    require_stage(await store.orgs.call_count(org), FINE_TUNE_STAGE, "training data")
    if is_in_memory(cascade.settings):
        raise InvalidRequest("the store of this gateway is in memory: set X25_DATABASE_URL", field="project")
    wanted = Gathering(**(body or ImproveRequest()).model_dump())
    job, _ = await ask_for_improvement(store, org, wanted, datetime.now(UTC))
    improver: Improver | None = request.app.state.improver
    if improver is not None:
        improver.wake()
    return _job(job)


@router.get("/improve/{project}", summary="Jobs and own models of one project")
async def improvements(project: str, cascade: CascadeDep, key: KeyDep) -> Improvements:
    """Return the org's jobs with their progress, its registered models, and how far it is from being able to begin."""
    org, store = org_to_read(key, project), cascade.services.store
    count = await store.orgs.call_count(org)
    since = await store.improvements.opted_out_since(org)
    return Improvements(
        org=org,
        stage=stage_of(count).stage,
        calls_needed=max(0, STAGE_STARTS[FINE_TUNE_STAGE - 1] - count),
        opted_out_since=None if since is None else since.isoformat(),
        jobs=[_job(one) for one in await store.improvements.newest(org)],
        models=[_info(one) for one in await store.own_models.of(org)],
    )


@router.put("/improve/{project}/opt-out", summary="Refuse, or allow, training on a project's calls")
async def opt_out(project: str, body: OptOut, cascade: CascadeDep, key: KeyDep) -> OptOut:
    """Keep every call of the org out of training data from now on, or take that back. Single calls: `store: false`."""
    org = org_to_read(key, project, "improve")
    await cascade.services.store.improvements.opt_out(org, datetime.now(UTC) if body.opted_out else None)
    return body


@router.get("/improve/{project}/jobs/{job_id}", summary="Progress of one job")
async def job(project: str, job_id: str, cascade: CascadeDep, key: KeyDep) -> Job:
    """Return how far a job is, or how it ended."""
    return _job(await cascade.services.store.improvements.get(org_to_read(key, project), job_id))


@router.delete("/improve/{project}/jobs/{job_id}", summary="Delete a job and its folder")
async def delete_job(project: str, job_id: str, cascade: CascadeDep, key: KeyDep) -> dict[str, Any]:
    """Delete the row of a job that has ended, and the folder it wrote on this machine."""
    org = org_to_read(key, project, "improve")
    found = await cascade.services.store.improvements.get(org, job_id)
    if not await cascade.services.store.improvements.forget(org, job_id):
        raise InvalidRequest(f"job {found.job_id} is under way; delete it when it has ended", field="job_id")
    folder = folder_of(cascade.settings, org, found.job_id)
    return {"job_id": job_id, "deleted": True, "had_folder": await asyncio.to_thread(delete_folder, folder)}


@router.get("/improve/{project}/jobs/{job_id}/files/{name}", summary="One file of a job's folder")
async def download(project: str, job_id: str, name: str, cascade: CascadeDep, key: KeyDep) -> FileResponse:
    """Return a file of a finished job; it holds words of calls, so an open gateway gives it on loopback only."""
    org = org_to_read(key, project)
    if key is None and not _is_operator(key, cascade):
        raise Forbidden("files of training data hold words of calls: send the org's API key")
    found = await cascade.services.store.improvements.get(org, job_id)
    path = file_of(cascade.settings, org, found.job_id, name)
    return FileResponse(path, filename=name, media_type="application/octet-stream")


@router.post("/improve/{project}/register", summary="Add an own model to one project's pool")
async def register_model(project: str, body: RegisterRequest, cascade: CascadeDep, key: KeyDep) -> Registered:
    """Ask the model for a completion, and have the org's calls routed to it at tier slm from then on."""
    org = org_to_read(key, project, "improve")
    given = body.model_dump() | {"capabilities": tuple(body.capabilities)}
    wanted = Registration(**given | {"base_url": body.base_url.rstrip("/")})
    check_address(wanted, cascade.settings, is_operator=_is_operator(key, cascade))
    _, is_new = await register(cascade.services, org, wanted)
    found = {one.model_id: one for one in await cascade.services.store.own_models.of(org)}
    info = _info(found[wanted.model_id]).model_dump()
    return Registered(**info, registered=True, is_new=is_new, seen_everywhere_within_s=LOOK_EVERY_S)


@router.delete("/improve/{project}/register/{model_id:path}", summary="Take an own model out of the pool")
async def unregister_model(project: str, model_id: str, cascade: CascadeDep, key: KeyDep) -> dict[str, Any]:
    """Route none of the org's calls to the model any more; what was learnt of it goes with it."""
    org = org_to_read(key, project, "improve")
    await unregister(cascade.services, org, model_id)
    return {"org": org, "model_id": model_id, "unregistered": True}


def _is_operator(key: ApiKey | None, cascade: Cascade) -> bool:
    """Return whether the caller may do what the operator may: by an admin's key, or without any from this machine."""
    if key is not None:
        return key.is_admin
    return cascade.settings.host in LOOPBACK_HOSTS


def _job(job: Improvement) -> Job:
    progress = 1.0 if job.status == "done" else job.done / job.total if job.total else 0.0
    return Job(
        org=job.org, job_id=job.job_id, status=job.status, phase=job.phase, progress=round(progress, 3),
        done=job.done, total=job.total, created_at=job.created_at.isoformat(), options=job.options,
        finished_at=None if job.finished_at is None else job.finished_at.isoformat(),
        detail=job.detail, result=job.result,
    )  # fmt: skip


def _info(model: OwnModel) -> OwnModelInfo:
    spec = model.spec
    return OwnModelInfo(
        org=model.org, model_id=model.model_id, tier=spec["tier"], base_url=spec["deployments"][0]["base_url"],
        input_usd_per_mtok=spec["prices"]["input_usd_per_mtok"],
        output_usd_per_mtok=spec["prices"]["output_usd_per_mtok"],
        held_out_quality=spec.get("held_out_quality"), registered_at=model.registered_at.isoformat(),
    )  # fmt: skip
