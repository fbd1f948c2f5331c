"""POST /feedback: what became known of an answer."""

from fastapi import APIRouter

from ...graph.feedback import Feedback, Taken, give_feedback
from ...graph.run import Cascade
from ...nodes.services import Services
from ...state.complaints import nearest_key
from ...state.errors import InvalidRequest, NotFound
from ..deps import CascadeDep, KeyDep, org_of_call, require_scope
from ..feedback_schemas import FeedbackRequest, FeedbackTaken

router = APIRouter(tags=["feedback"])

RIGHT_FROM = 0.5
"""An answer less right than this is given to nobody again."""


@router.post("/feedback", summary="Say how an answer turned out")
async def feedback(body: FeedbackRequest, cascade: CascadeDep, key: KeyDep) -> FeedbackTaken:
    """Take an outcome, a score or a retraction; the newest counts, the same again changes nothing."""
    require_scope(key, "feedback")
    org, services = org_of_call(key, body.org), cascade.services
    taken = await take(cascade, org, body.call_id, body.feedback())
    labelled = taken.labelled
    labels = services.judge_book.labels(org)
    return FeedbackTaken(
        accepted=True,
        org=org,
        call_id=body.call_id,
        step=labelled.step,
        became=labelled.became,
        arm_updated=labelled.model_id if labelled.became in {"new", "changed", "retracted"} else None,
        judge=labelled.judge,
        judge_score=labelled.score,
        weight=round(labels.weight("feedback", labelled.model_id), 4),
        not_kept=list(taken.not_kept),
        stage=taken.stage,
    )


async def take(cascade: Cascade, org: str, call_id: str, given: Feedback) -> Taken:
    """Take feedback and have the org's next call know it; errors as `give_feedback`.

    What is said of an answer that was given again is said of the call that bought it. A wrong one is given no more.
    """
    if not call_id.isprintable():  # which not every database could look for
        raise NotFound(f"org {org!r} has no call {call_id[:80]!r}")
    services = cascade.services
    if given.correct_model is not None and given.correct_model not in services.models:
        near = nearest_key(given.correct_model, list(services.models))
        raise InvalidRequest(
            f"correct_model: no model {given.correct_model!r} is routed to here: {near}",
            field="correct_model",
        )
    bought_by = await _bought_by(services, org, call_id)
    taken = await give_feedback(
        services.store, org, bought_by, given,
        edges=services.judge_table.edges, keeps_text=services.limits.store_prompts,
    )  # fmt: skip
    if given.outcome != "retracted" and given.right < RIGHT_FROM and services.caches is not None:
        await services.caches.drop_call(org, bought_by)
    services.judge_book.forget(org)
    await services.refresh_labels(org)
    return taken


async def _bought_by(services: Services, org: str, call_id: str) -> str:
    """Return the call that bought a call's answer: itself, or the one whose kept answer served it."""
    call = await services.store.calls.get(org, call_id)
    return call_id if call is None else str(call.decision.get("cache", {}).get("call_id", call_id))
