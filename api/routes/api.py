"""/api: decide without calling, read what was logged, and erase it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from ...graph.decide import Decided
from ...graph.feedback import Feedback
from ...graph.question import Question
from ...nodes.services import Services
from ...routing.plan.configs import RouterConfig
from ...state.audit.decisions import LoggedDecision
from ...state.audit.history import Logged
from ...state.errors import InvalidRequest, NotFound
from ...state.names import check_call_id, check_user_id
from ...state.records import Call, usd_from_nusd
from ..deps import CallerDep, CascadeDep, KeyDep, org_of_call, org_of_log, require_scope
from ..feedback_schemas import CallFeedback, FeedbackPatch
from ..history_schemas import (
    ConfigCard,
    ConfigList,
    DecisionReply,
    DecisionRequest,
    Deleted,
    HistoryPage,
    LoggedEntry,
)
from ..limits import admitted
from ..schemas import Problem, given
from .feedback import take

router = APIRouter(prefix="/api", tags=["decisions"])

MOST_ROWS, MOST_OFFSET = 1_000, 1_000_000_000
UNDECIDABLE: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Empty prompt, unknown config, or unknown models."}
}
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "Nothing was logged under that id."}
}

Org = Annotated[str | None, Query(description='Whose; a key\'s own. Default "default".')]
User = Annotated[str | None, Query(description="Only this user's within the org.")]


@router.get("/configs", summary="Router configs with their models and knobs")
async def configs(cascade: CascadeDep, key: KeyDep) -> ConfigList:  # noqa: ARG001 - a wrong key is refused
    """List the router configs; a model's id is a config, too, and `GET /v1/models` lists those."""
    services = cascade.services
    direct = {name for spec in services.models.values() for name in (spec.model_id, *spec.aliases)}
    return ConfigList(
        configs=[_card(one, services) for name, one in services.routers.items() if name not in direct]
    )


def _card(config: RouterConfig, services: Services) -> ConfigCard:
    shown = {name: getattr(config, name) for name in ConfigCard.model_fields if name != "models"}
    models = [name for name in config.models or services.models if name in services.models]
    return ConfigCard(**shown, models=models)


@router.post("/route", responses=UNDECIDABLE, summary="Decide which model to ask, and ask nobody")
async def decide(body: DecisionRequest, cascade: CascadeDep, key: CallerDep) -> DecisionReply:
    """Return the model that /route would ask first for the same request, and log the decision.

    Fields that are named take the place of the config's own. No provider is asked and nothing is spent.
    """
    org = org_of_call(key, body.org)
    question = _question(body, org)
    leave = await admitted(cascade, key, org)
    try:
        decided = await cascade.decide(question, is_counted=True)
    except InvalidRequest:
        await leave.refused()
        raise
    await leave.done()
    return _reply(body.prompt, decided)


def _question(body: DecisionRequest, org: str) -> Question:
    fields = given(body) | {"org": org}
    other = fields.pop("config_name", None)
    if other is not None and fields.setdefault("config", other) != other:
        raise InvalidRequest("config and config_name name two configs; give one", field="config_name")
    for name in ("models", "preferred_input_modalities"):
        if name in fields:
            fields[name] = tuple(fields[name])
    return Question(**fields)


def _reply(prompt: str, decided: Decided) -> DecisionReply:
    logged = decided.logged
    decision = logged.facts["decision"]
    return DecisionReply(
        id=logged.call_id,
        ts=logged.created_at.timestamp(),
        prompt=prompt,
        task=logged.task_type,
        config=logged.config,
        selected=logged.facts["selected"],
        candidates=logged.facts["candidates"],
        expected_quality=logged.expected_quality,
        cost=usd_from_nusd(logged.cost_nusd),
        latency=logged.latency_ms,
        input_modality_preference=decided.modality_preference,
        user_id=logged.user_id,
        org=logged.org,
        propensity=logged.propensity,
        strategy=decision["strategy"],
        reason=decision["reason"],
        removed=decided.removed,
        audit_hash=logged.record_hash,
    )


@router.get("/history", summary="Calls and decisions of one org, newest first")
async def history(  # noqa: PLR0913, PLR0917 - a query parameter is an argument
    cascade: CascadeDep,
    key: KeyDep,
    org: Org = None,
    limit: Annotated[int, Query(description=f"Rows of a page, brought into 1 to {MOST_ROWS:,}.")] = 50,
    offset: Annotated[int, Query(ge=0, le=MOST_OFFSET, description="Newest rows to pass over.")] = 0,
    user_id: User = None,
    before: Annotated[
        int | None,
        Query(ge=0, le=2**62, description="`next` of the page before: rows logged since move nothing."),
    ] = None,
) -> HistoryPage:
    """List what was logged, in the order of the audit chain."""
    require_scope(key, "read")
    page = await cascade.services.store.history.recent(
        org_of_log(key, org),
        limit=min(max(limit, 1), MOST_ROWS),
        offset=offset,
        before=before,
        user_id=check_user_id(user_id),
    )
    return HistoryPage(calls=[_entry(one) for one in page.rows], total=page.total, next=page.next)


def _entry(logged: Logged) -> LoggedEntry:
    own = _of_call(logged.row) if isinstance(logged.row, Call) else _of_decision(logged.row)
    return LoggedEntry(
        id=logged.row.call_id,
        kind=logged.kind,
        ts=logged.row.created_at.timestamp(),
        prompt=logged.row.prompt,
        prompt_sha256=logged.prompt_sha256,
        task=logged.row.task_type,
        latency=logged.row.latency_ms,
        user_id=logged.row.user_id,
        propensity=logged.row.propensity,
        audit_hash=logged.record_hash,
        audit_index=logged.index,
        **own,
    )


def _of_call(call: Call) -> dict[str, object]:
    asked = call.decision.get("model_id")
    return {
        "config": call.router, "selected": [] if asked is None else [asked], "candidates": None,
        "expected_quality": None, "cost": usd_from_nusd(call.paid_nusd), "status": call.status,
        "model_used": call.model_id, "quality_score": call.quality_score,
    }  # fmt: skip


def _of_decision(decision: LoggedDecision) -> dict[str, object]:
    return {
        "config": decision.config, "selected": decision.facts["selected"],
        "candidates": decision.facts["candidates"], "expected_quality": decision.expected_quality,
        "cost": usd_from_nusd(decision.cost_nusd), "status": "decided", "model_used": None, "quality_score": None,
    }  # fmt: skip


@router.delete(
    "/calls/{call_id}",
    responses=UNKNOWN,
    response_model_exclude_defaults=True,
    summary="Erase one call or decision",
)
async def erase(
    call_id: Annotated[str, Path(description="Of a call, or of a decision.")],
    cascade: CascadeDep,
    key: KeyDep,
    org: Org = None,
    user_id: User = None,
) -> Deleted:
    """Delete what was logged of it: row, words with their last reference, checkpoint, chain record, training lines.

    The chain keeps a tombstone and the entry that says so, and still verifies; money and what was learnt stay counted.
    """
    require_scope(key, "settings")
    owner = org_of_log(key, org)
    erased = await cascade.erase(owner, check_call_id(call_id), user_id=check_user_id(user_id))
    if erased is None:
        raise NotFound(f"call {call_id} of org {owner!r} is not on record")
    return Deleted(
        deleted=call_id,
        training_lines=erased.training.lines,
        training_folders_left=list(erased.training.unsure),
    )


@router.patch(
    "/calls/{call_id}/feedback",
    responses=UNKNOWN,
    tags=["feedback"],
    summary="Set or take back a call's feedback",
)
async def patch_feedback(
    call_id: str, body: FeedbackPatch, cascade: CascadeDep, key: KeyDep, org: Org = None
) -> CallFeedback:
    """Do what POST /feedback does."""
    require_scope(key, "feedback")
    taken = await take(cascade, org_of_call(key, org), call_id, Feedback(**body.model_dump()))
    said = {"outcome": None, "correct_model": None, "note": None} | body.model_dump(exclude_none=True)
    kept = {name: value for name, value in said.items() if name not in taken.not_kept}
    return CallFeedback(
        id=call_id, feedback=None if body.outcome == "retracted" else kept, not_kept=list(taken.not_kept)
    )
