"""Write the call down: log row, link of the org's audit chain, and the reply."""

from ..routing.plan.weights import goal_match
from ..state.records import usd_from_nusd
from ..state.types import CascadeState
from .answer.explanation import best_answer, explain, message_text
from .records.log_row import audit_record, call_row
from .services import Services


async def audit(state: CascadeState, services: Services) -> CascadeState:
    """Log the call and extend the chain in one transaction; return the best answer held with its receipt."""
    best = best_answer(state)
    verdict = state["verdicts"][best["step"]] if best else {}
    latency_ms = round((services.clock_s() - state["started_monotonic_s"]) * 1e3, 3)
    call = call_row(state, services, best, latency_ms)
    entry, call_count = await services.store.calls.record(call, audit_record(state, call, best))
    written = CascadeState(audit_hash=entry.record_hash, call_count=call_count)
    if best is None:
        return written
    quality = verdict["posterior"] if call.quality_score is None else call.quality_score
    return written | CascadeState(
        text=message_text(best["message"]),
        message=best["message"],
        finish_reason=best["finish_reason"],
        usage=best["usage"],
        model_used=best["model_id"],
        provider=best["provider"],
        tier=best["tier"],
        simulated=best["simulated"],
        cost_usd=usd_from_nusd(call.cost_nusd),
        judge_cost_usd=usd_from_nusd(call.judge_cost_nusd),
        cost_saved_usd=usd_from_nusd(call.reference_cost_nusd - call.cost_nusd),
        latency_ms=latency_ms,
        quality_score=None if call.quality_score is None else round(call.quality_score, 4),
        quality_source=call.quality_source,
        verdict=verdict,
        cascade_steps=call.cascade_steps,
        propensity=call.propensity,
        goal_match=goal_match(
            cost_nusd=call.cost_nusd, reference_cost_nusd=call.reference_cost_nusd, quality=quality,
            latency_ms=latency_ms, reference_latency_ms=services.reference_for(state["router"]).expected_latency_ms,
        ),
        explain=explain(state, services) if state["explain_wanted"] else {},
    )  # fmt: skip
