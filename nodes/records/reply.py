"""What the caller gets: the best answer and its receipt."""

import json

from ...routing.plan.weights import goal_match
from ...state.answers import Answer
from ...state.recalled import Recalled
from ...state.records import Call, usd_from_nusd
from ...state.types import JSONObject, Reply
from ...state.working_memory import Learned
from ..answer.text import message_text
from ..offers.situation import Situation
from .explanation import explain, explain_briefly, verdict_facts


def reply_of(call: Learned, situation: Situation, row: Call, best: Answer, record_hash: str) -> Reply:
    """Return the best answer bought with its receipt; what memory kept is left to audit, the stage to stage_check."""
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
        org=call.org, call_id=call.call_id, conversation_id=call.conversation_id,
        cached=None,
        remembered=None,
        model_used=best.model_id,
        provider=best.provider,
        tier=best.tier,
        task_type=call.task.type,
        simulated=best.simulated,
        cost_usd=usd_from_nusd(row.cost_nusd),
        judge_cost_usd=usd_from_nusd(row.judge_cost_nusd),
        byok=byok_facts(call),
        cost_saved_usd=usd_from_nusd(row.saved_nusd),
        latency_ms=row.latency_ms,
        quality_score=None if row.quality_score is None else round(row.quality_score, 4),
        quality_source=row.quality_source,
        verdict=verdict_facts(best),
        cascade_steps=row.cascade_steps,
        escalations=row.escalations,
        fallbacks=row.fallbacks,
        propensity=row.propensity,
        audit_hash=record_hash,
        goal_match=goal_match(
            paid_nusd=row.paid_nusd, reference_cost_nusd=row.reference_cost_nusd, quality=quality,
            latency_ms=row.latency_ms, reference_latency_ms=situation.reference.expected_latency_ms,
        ),
        explain=explain(call, situation, row) if call.opening.explain else explain_briefly(call),
        stage={},  # stage_check says it
    )  # fmt: skip


def byok_facts(call: Learned) -> JSONObject | None:
    """Return which of the org's own provider keys were asked with, and what that cost; None where none was.

    That part of the costs is the vendor's to bill to the org.
    """
    made = [one for answer in call.answers for one in answer.attempts if one.byok_key is not None]
    if not made:
        return None
    keys = list(dict.fromkeys(one.byok_key for one in made))
    return {"keys": keys, "cost_usd": usd_from_nusd(sum(one.spent_nusd for one in made))}


def remembered_facts(recalled: Recalled, kept: list[str], hindrance: str | None) -> JSONObject:
    """Return what memory did for a call: what was added and where, what was kept of it, and why nothing was."""
    return {
        "items": [
            {
                "id": one.memory_id,
                "conversation_id": one.conversation_id,
                "call_id": one.call_id,
                "role": one.role,
            }
            for one in recalled.memories
        ],
        "tokens": recalled.tokens,
        "budget_tokens": recalled.budget_tokens,
        "placed": "at the head of the newest user message, quoted" if recalled.block else None,
        "withheld": recalled.withheld,
        "helps": recalled.helps,
        "kept": kept,
        "scope": recalled.scope,
        "store": recalled.where,
        "reason": recalled.missing or recalled.left_out or hindrance,
    }
