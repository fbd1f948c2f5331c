"""Why this model: the part of the reply that explains itself."""

from typing import Any

from ...routing.prompt.complexity import complexity_of
from ...routing.prompt.features import documented
from ...state.answers import Answer
from ...state.records import Attempt, Call, usd_from_nusd
from ...state.types import JSONObject
from ...state.working_memory import Learned, Routed
from ..offers.judges import NONE_NOW
from ..offers.situation import Situation
from .plain import plain


def attempt_facts(attempt: Attempt) -> JSONObject:
    """Return an attempt as JSON, for the reply and the audit entry."""
    return {
        "attempt_id": attempt.attempt_id,
        "step": attempt.step,
        "kind": attempt.kind,
        "model_id": attempt.model_id,
        "tier": attempt.tier,
        "deployment": attempt.deployment,
        "status": attempt.status,
        "error": attempt.error,
        "spent_nusd": attempt.spent_nusd,
        "cost_source": attempt.cost_source,
        "disputed_nusd": attempt.disputed_nusd,
        "prompt_tokens": attempt.prompt_tokens,
        "cached_tokens": attempt.cached_tokens,
        "completion_tokens": attempt.completion_tokens,
        "reasoning_tokens": attempt.reasoning_tokens,
        "latency_ms": attempt.latency_ms,
        **({} if attempt.byok_key is None else {"byok_key": attempt.byok_key}),
    }


def verdict_facts(answer: Answer) -> JSONObject:
    """Return an answer's verdict as JSON, for the reply: what was seen of it and what came of that."""
    verdict = answer.verdict
    assert verdict is not None
    seen = verdict.observation
    return {
        "step": answer.step,
        "model_id": answer.model_id,
        "score": verdict.score,
        "source": verdict.source,
        "unwrapped": answer.was_unwrapped,
        "checks_made": list(verdict.checks_made),
        "failed_check": verdict.failed_check,
        "reason": verdict.reason,
        "not_judged": verdict.not_judged,
        "judges_passed_over": verdict.judges_passed_over,
        "judge_model": seen.judge_model,
        "judge_cost_nusd": verdict.judge_cost_nusd,
        "bin": seen.bin,
        "posterior": verdict.belief.mean,
        "belief": plain(verdict.belief),
        "seen_prob": seen.seen_prob,
        "teaches": seen.teaches,
        "verification": None if verdict.verification is None else plain(verdict.verification),
    }


def explain_briefly(call: Learned) -> dict[str, Any]:
    """Return what did not work for this call: all that is said where nobody asked for an explanation."""
    degraded = _degraded(call)
    return {"degraded": degraded} if degraded else {}


def explain(call: Learned, situation: Situation, row: Call) -> dict[str, Any]:
    """Return the candidates with probability, draw and expected cost, who was removed by what, and what was seen.

    `row` is what is logged of the call.
    """
    task, estimate = call.task, call.estimate
    return {
        "candidates": _candidates(call, situation),
        "removed": call.selection.removed,
        "judges_removed": situation.judges_removed,
        "first_decision": decision_facts(call),
        "difficulty": {"value": estimate.value, "sigma": estimate.sigma, "band": estimate.band},
        "task": {
            "type": task.type, "cell": task.cell, "confidence": task.confidence, "source": task.source,
            "request_type": task.request_type,
        },
        "request": {
            "complexity": plain(complexity_of(call.messages, call.options)),
            "features": documented(call.inputs.features),
            "needs": [{"name": need.name, "asked_by": need.asked_by} for need in situation.needs],
        },
        "verdicts": [verdict_facts(answer) for answer in call.bought],
        "failures": [
            {"step": answer.step, "model_id": answer.model_id, **plain(answer.failure)}
            for answer in call.answers
            if answer.failure is not None
        ],
        "attempts": [attempt_facts(attempt) for answer in call.answers for attempt in answer.attempts],
        "transitions": [{"kind": one.kind, "reason": one.reason} for one in call.transitions],
        "learned": [plain(lesson) for lesson in call.learned],
        "path": call.timings,
        "forked_from": call.opening.forked_from,
        "reference_model": situation.reference.model_id,
        "savings": _savings(situation, row),
        "modality_preference": _modality_preference(call, situation),
        "degraded": _degraded(call),
    }  # fmt: skip


def _degraded(call: Learned) -> dict[str, str]:
    """Return what did not work for this call, and why, in no vendor's words: they may quote the prompt."""
    found = {} if call.inputs.missing is None else {"encoder": call.inputs.missing}
    if call.opening.start.notice:
        found["routing_hints"] = call.opening.start.notice
    ungraded = [
        f"{one.model_id} gave no grade: {one.error}"
        for answer in call.answers
        for one in answer.attempts
        if one.kind == "judge" and one.error is not None
    ]
    verdicts = [answer.verdict for answer in call.answers if answer.verdict is not None]
    ungraded += [one.judges_passed_over for one in verdicts if one.judges_passed_over is not None]
    hindrances = [one.not_judged for one in verdicts if one.not_judged is not None]
    ungraded += [one for one in hindrances if one.startswith(NONE_NOW)]
    return found | ({"judge": "; ".join(dict.fromkeys(ungraded))} if ungraded else {})


def _savings(situation: Situation, row: Call) -> JSONObject:
    """Return what the same tokens cost elsewhere: on the reference and, of a smaller pool, on its dearest model."""
    return {
        "reference_model": situation.reference.model_id,
        "reference_cost_usd": usd_from_nusd(row.reference_cost_nusd),
        "saved_usd": usd_from_nusd(row.saved_nusd),
        "smaller_pool": None
        if situation.pool_dearest is None or row.pool_cost_nusd is None or row.pool_saved_nusd is None
        else {
            "router": row.router,
            "models": sorted(situation.specs),
            "dearest_model": situation.pool_dearest.model_id,
            "dearest_cost_usd": usd_from_nusd(row.pool_cost_nusd),
            "saved_usd": usd_from_nusd(row.pool_saved_nusd),
        },
    }


def _candidates(call: Learned, situation: Situation) -> list[JSONObject]:
    arms = {arm.model_id: arm for arm in situation.arms}
    return [
        {
            "model_id": model_id,
            "tier": arms[model_id].tier,
            "modalities": sorted(arms[model_id].modalities),
            "completion_prob": round(arms[model_id].completion_prob, 4),
            "availability": round(arms[model_id].availability, 4),
            "posterior_mean": round(belief.mean, 4),
            "theta": round(belief.theta, 4),
            "propensity": round(call.first_decision.arm_probs.get(model_id, 0.0), 9),
            "expected_cost_usd": usd_from_nusd(arms[model_id].expected_cost_nusd),
            "expected_latency_ms": arms[model_id].expected_latency_ms,
            "cached_share": round(arms[model_id].cached_share, 4),
        }
        for model_id, belief in call.selection.beliefs.items()
    ]


def decision_facts(call: Routed) -> JSONObject:
    """Return the first decision as JSON, with what it was made from: what the log keeps for off-policy evaluation."""
    decision = plain(call.first_decision)
    del decision[
        "arm_probs"
    ]  # the log keeps it with what else is known of each arm, a reply with its candidates
    return {
        **decision,
        "baseline_prob": call.selection.baseline_prob,
        "allowances": {key: plain(one) for key, one in call.selection.allowances.items()},
    }


def _modality_preference(call: Learned, situation: Situation) -> dict[str, Any]:
    """Return which modalities were preferred, and whether some eligible model read them all, so that one was asked."""
    wanted = situation.policy.prefer_modalities
    first = situation.specs[call.first_decision.model_id]
    return {"requested": sorted(wanted), "applied": bool(wanted) and wanted <= first.modalities}
