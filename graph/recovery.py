"""Log what a dead process left behind, so that no dollar is spent without a call that shows it."""

from datetime import datetime

from ..nodes.services import Services
from ..state.records import Call


async def close_interrupted_calls(services: Services, *, before: datetime) -> list[tuple[str, str]]:
    """Log and chain each call that has attempts older than `before` but no entry; return them as (org, call id).

    What its attempts cost is what is known: the price of a finished one, the reservation of one still out.
    """
    orphans = await services.store.attempts.interrupted_calls(before)
    for org, call_id in orphans:
        attempts = await services.store.attempts.for_call(org, call_id)
        spent = {
            kind: sum(one.spent_nusd for one in attempts if one.kind == kind) for kind in ("answer", "judge")
        }
        call = Call(
            call_id=call_id,
            org=org,
            created_at=attempts[0].started_at,
            status="interrupted",
            task_type="general",
            task_cell="general",
            difficulty=0.0,
            model_id=None,
            provider=None,
            tier=None,
            cost_nusd=spent["answer"],
            judge_cost_nusd=spent["judge"],
            reference_cost_nusd=spent["answer"],
            quality_score=None,
            quality_source="none",
            latency_ms=0.0,
            cascade_steps=0,
            escalations=0,
            fallbacks=0,
            propensity=1.0,  # no decision is known, so none may be weighted up
            router="auto",
            simulated=any(
                one.model_id in services.models and services.models[one.model_id].simulated
                for one in attempts
            ),
            record_hash="",
        )
        record = {"kind": "call", "status": "interrupted", "call_id": call_id, "at": call.created_at.isoformat(),
                  "cost_nusd": call.cost_nusd, "judge_cost_nusd": call.judge_cost_nusd}  # fmt: skip
        await services.store.calls.record(call, record)
    return orphans
