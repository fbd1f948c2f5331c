"""What is written down and told of a call that another one's answer served: its row, its entry, its reply."""

import json
from datetime import datetime

from ...routing.plan.turns import turn_key
from ...routing.plan.weights import goal_match
from ...state.hits import Hit
from ...state.records import Call, usd_from_nusd
from ...state.types import JSONObject, Reply
from ...state.usage import Usage
from ...state.working_memory import Known
from ..answer.text import message_text
from ..offers.limits import reference_of
from ..org.memory import user_of
from ..services import Services
from .log_row import digest, kept_prompt, of_store, prompt_text

FROM_CACHE = "cache"
"""Source of the quality of an answer that was looked at when it was bought, or not at all."""
NO_TOKENS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def hit_row(call: Known, services: Services, latency_ms: float) -> Call:
    """Return the log row of a call that cost nothing: it decided nothing, so there is nothing in it to learn from."""
    kept, usage = call.hit.answer, Usage.from_openai(call.hit.answer.usage)
    reference = reference_of(call.opening, services).priced_at(services.now())
    dearest = services.dearest_for(call.router, call.org)
    return Call(
        call_id=call.call_id, org=call.org, created_at=call.opening.started_at, status="answered",
        task_type=kept.task_type, task_cell=kept.task_cell, difficulty=kept.difficulty,
        model_id=kept.model_id, provider=kept.provider, tier=kept.tier,
        cost_nusd=0, judge_cost_nusd=0, reference_cost_nusd=0 if usage is None else reference.cost_nusd(usage),
        pool_cost_nusd=None if dearest is None or usage is None else dearest.cost_nusd(usage),
        quality_score=kept.quality_score, quality_source=FROM_CACHE, latency_ms=latency_ms,
        cascade_steps=0, escalations=0, fallbacks=0, propensity=1.0, router=call.router, simulated=kept.simulated,
        record_hash="", decision={"cache": _facts(call.hit), "first_verdict": None, "tokens": None, **of_store(call)},
        prompt=kept_prompt(call, services), user_id=call.opening.user_id,
        conversation_id=call.conversation_id or None,
        turn_key=turn_key(call.org, user_of(call.options, call.opening.user_id), call.messages, kept.message),
        cache_type=call.hit.type, cache_saved_nusd=kept.paid_nusd,
    )  # fmt: skip


def hit_entry(call: Known, row: Call) -> JSONObject:
    """Return what the chain proves: which call's answer served this one, for which words (hashed)."""
    return {
        "kind": "call",
        "call_id": row.call_id,
        "at": call.opening.started_at.isoformat(),
        "status": row.status,
        "router": row.router,
        "policy": call.policy,
        **of_store(call),
        "optimize_for": call.optimize_for,
        "cache": _facts(call.hit),
        "attempts": [],
        "answer": {"model_id": row.model_id, "sha256": digest(message_text(call.hit.answer.message))},
        "prompt_sha256": digest(prompt_text(call)),
        "cost_nusd": 0,
        "judge_cost_nusd": 0,
    }


def hit_reply(call: Known, row: Call, services: Services, record_hash: str, now: datetime) -> Reply:
    """Return the kept answer with this call's receipt: no model was asked, so it took no tokens and no money."""
    kept = call.hit.answer
    reference = reference_of(call.opening, services)
    goals = goal_match(
        paid_nusd=0, reference_cost_nusd=row.reference_cost_nusd, latency_ms=row.latency_ms,
        quality=0.0 if kept.quality_score is None else kept.quality_score,
        reference_latency_ms=reference.expected_latency_ms,
    )  # fmt: skip
    facts = _facts(call.hit)
    return Reply(
        text=message_text(kept.message), message=kept.message, finish_reason=kept.finish_reason,
        logprobs=None if kept.logprobs is None else json.loads(kept.logprobs), service_tier=None,
        usage=dict(NO_TOKENS), org=call.org, call_id=call.call_id, conversation_id=call.conversation_id,
        cached={
            "hit": True, **facts, "age_s": round((now - call.hit.made_at).total_seconds(), 3),
            "saved_usd": usd_from_nusd(kept.paid_nusd), "usage": kept.usage,
        },
        remembered=None, model_used=kept.model_id, provider=kept.provider, tier=kept.tier,
        task_type=kept.task_type, simulated=kept.simulated, cost_usd=0.0, judge_cost_usd=0.0,
        cost_saved_usd=usd_from_nusd(row.saved_nusd), latency_ms=row.latency_ms,
        quality_score=kept.quality_score, quality_source=FROM_CACHE, verdict=kept.verdict, cascade_steps=0,
        escalations=0, fallbacks=0, propensity=1.0, audit_hash=record_hash, goal_match=goals,
        explain={"cache": facts} if call.opening.explain else {}, stage={},
    )  # fmt: skip


def _facts(hit: Hit) -> JSONObject:
    return {
        "type": hit.type, "call_id": hit.call_id, "made_at": hit.made_at.isoformat(), "similarity": hit.similarity,
    }  # fmt: skip
