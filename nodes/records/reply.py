"""What the caller gets: the best answer and its receipt."""

import json

from ...routing.plan.weights import goal_match
from ...state.answers import Answer
from ...state.records import Call, usd_from_nusd
from ...state.types import Reply
from ...state.working_memory import Learned
from ..answer.text import message_text
from ..offers.situation import Situation
from .explanation import explain, verdict_facts


def reply_of(call: Learned, situation: Situation, row: Call, best: Answer) -> Reply:
    """Return the best answer bought with its receipt; the stage is left to stage_check."""
    assert best.verdict is not None
    assert best.message is not None
    quality = best.verdict.belief.mean if row.quality_score is None else row.quality_score
    return Reply(
        text=message_text(best.message),
        message=best.message,
        finish_reason=best.finish_reason,
        logprobs=None if best.logprobs is None else json.loads(best.logprobs),
        service_tier=best.service_tier,
        usage=best.usage,
        org=call.org,
        call_id=call.call_id,
        model_used=best.model_id,
        provider=best.provider,
        tier=best.tier,
        task_type=call.task.type,
        simulated=best.simulated,
        cost_usd=usd_from_nusd(row.cost_nusd),
        judge_cost_usd=usd_from_nusd(row.judge_cost_nusd),
        cost_saved_usd=usd_from_nusd(row.saved_nusd),
        latency_ms=row.latency_ms,
        quality_score=None if row.quality_score is None else round(row.quality_score, 4),
        quality_source=row.quality_source,
        verdict=verdict_facts(best),
        cascade_steps=row.cascade_steps,
        escalations=row.escalations,
        fallbacks=row.fallbacks,
        propensity=row.propensity,
        audit_hash=row.record_hash,
        goal_match=goal_match(
            paid_nusd=row.paid_nusd, reference_cost_nusd=row.reference_cost_nusd, quality=quality,
            latency_ms=row.latency_ms, reference_latency_ms=situation.reference.expected_latency_ms,
        ),
        explain=explain(call, situation, row) if call.opening.explain else {},
        stage={},  # stage_check says it
    )  # fmt: skip
