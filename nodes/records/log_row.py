"""What is written down of a call: its row in the log, and its record in the org's audit chain."""

from dataclasses import replace
from hashlib import sha256

from ...providers.specs import ModelSpec
from ...routing.belief.org_model import inputs_id, pack_inputs
from ...routing.plan.turns import turn_key
from ...state.answers import Answer
from ...state.errors import ReaderLeft
from ...state.org_wishes import AS_THE_GATEWAY, STORE
from ...state.recalled import Recalled
from ...state.records import Call, CallStatus
from ...state.types import JSONObject
from ...state.usage import Usage
from ...state.working_memory import Learned, Opened
from ..answer.text import message_text
from ..offers.situation import Situation
from ..org.memory import user_of
from ..services import Services
from .choice import choice_facts
from .explanation import attempt_facts, decision_facts
from .plain import plain

_ATTEMPT_FACTS = (
    "attempt_id",
    "kind",
    "model_id",
    "status",
    "error",
    "spent_nusd",
    "cost_source",
    "disputed_nusd",
    "byok_key",
)
_DECISION_FACTS = ("model_id", "tier", "propensity", "judge_prob", "explored", "strategy")


def call_row(
    call: Learned, situation: Situation, services: Services, best: Answer | None, latency_ms: float
) -> Call:
    """Return the log row of a call; `best` is the answer returned, None when none was bought."""
    verdict = None if best is None else best.verdict
    return Call(
        call_id=call.call_id,
        org=call.org,
        created_at=call.opening.started_at,
        status=_status(call, best),
        task_type=call.task.type,
        task_cell=call.task.cell,
        difficulty=call.estimate.value,
        model_id=best.model_id if best else None,
        provider=best.provider if best else None,
        tier=best.tier if best else None,
        cost_nusd=sum(answer.spent_nusd("answer") for answer in call.answers),
        judge_cost_nusd=sum(answer.spent_nusd("judge") for answer in call.answers),
        reference_cost_nusd=_cost_nusd_of_the_same(best, situation.reference),
        pool_cost_nusd=_pool_cost_nusd(best, situation),
        quality_score=verdict.score if verdict else None,
        quality_source=verdict.source if verdict else "none",
        latency_ms=latency_ms,
        cascade_steps=len(call.bought),
        escalations=call.count("escalate"),
        fallbacks=call.count("fallback"),
        propensity=call.first_decision.propensity,
        router=call.router,
        simulated=bool(best and best.simulated),
        record_hash="",
        decision=_decision(call, situation, services, best),
        prompt=kept_prompt(call, services),
        inputs=_kept_inputs(call, services),
        user_id=call.opening.user_id,
        conversation_id=call.conversation_id or None,
        turn_key=_turn_key(call, best),
    )


def _decision(call: Learned, situation: Situation, services: Services, best: Answer | None) -> JSONObject:
    """Return what the decision was made on, and what a refit and an evaluation of other policies need."""
    return {
        **decision_facts(call),
        "difficulty": call.estimate.value,
        "optimize_for": call.optimize_for,
        **choice_facts(call, situation),
        **_what_was_seen(call, services),
        "right_prob": _right_prob(best),
        "tokens": _tokens(best),
        **of_store(call),
    }


def _right_prob(best: Answer | None) -> float | None:
    """Return how likely the returned answer is right, after all that was seen of it; None without one."""
    return None if best is None or best.verdict is None else round(best.verdict.belief.mean, 6)


def _turn_key(call: Learned, best: Answer | None) -> bytes | None:
    if best is None or best.message is None:
        return None
    return turn_key(call.org, user_of(call.options, call.opening.user_id), call.messages, best.message)


def kept_prompt(call: Opened, services: Services) -> str | None:
    """Return the prompt where gateway, org and request let words be stored; else None."""
    is_kept = services.limits.store_prompts and call.opening.wishes.keeps_words
    return prompt_text(call) if is_kept else None


def of_store(call: Opened) -> JSONObject:
    """Return what row and entry say of a call whose request has nothing kept; nothing of any other."""
    return {STORE: False} if call.opening.wishes.is_unstored else {}


def _status(call: Learned, best: Answer | None) -> CallStatus:
    if best is not None:
        return "answered"
    newest = call.answers[-1].failure if call.answers else None
    return "cancelled" if newest is not None and newest.code == ReaderLeft.code else "failed"


def _kept_inputs(call: Learned, services: Services) -> bytes | None:
    if not services.limits.store_inputs or not call.opening.wishes.keeps_inputs:
        return None
    return pack_inputs([] if call.inputs.missing else call.inputs.embedding, call.inputs.features)


def _what_was_seen(call: Learned, services: Services) -> JSONObject:
    """Return what a refit needs beside the prompt's vector: how the first answer of the decided model was found.

    Later answers are asked for after failures, so they would teach too low a quality; so would those that were looked
    at because of how they came out.
    """
    first = call.answers[0] if call.answers else None
    verdict = first.verdict if first and first.model_id == call.first_decision.model_id else None
    verification = verdict.verification if verdict else None
    seen = None
    if verdict is not None and (verdict.observation.teaches or verdict.observation.outcome == "unseen"):
        of = verdict.observation
        seen = {
            "source": verdict.source, "outcome": of.outcome, "bin": of.bin, "score": verdict.score,
            "judge_model": of.judge_model, "seen_prob": of.seen_prob,
        }  # fmt: skip
    if verification is not None and verification.decided:
        seen = None
    # Of a prompt that could not be embedded the features alone are kept: no refit takes them for a vector.
    made_by = ("", 0) if call.inputs.missing else services.difficulty.made_by
    return {
        "predicted_prob": call.estimate.completion_probs.get(call.first_decision.model_id),
        "memory_hit": call.opening.memory_hit,
        "inputs_id": inputs_id(*made_by),
        "verification": None if verification is None else plain(verification),
        "first_verdict": seen,
    }


def _cost_nusd_of_the_same(best: Answer | None, model: ModelSpec) -> int:
    """Return what the returned answer's tokens would have cost on another model.

    Nothing is replaced where no answer came, nor by an answer that another call bought. Where tokens are not
    known or not believed nothing is claimed: then it is what the answer cost.
    """
    if best is not None and any(one.disputed_nusd for one in best.attempts):
        return best.spent_nusd("answer")
    if best is None or best.is_inherited:
        return 0
    usage = Usage.from_openai(best.usage)
    return best.spent_nusd("answer") if usage is None else model.cost_nusd(usage)


def _tokens(best: Answer | None) -> list[int] | None:
    """Return prompt, cached and completion tokens of the returned answer; None where nothing may be claimed of them."""
    if best is None or best.is_inherited or any(one.disputed_nusd for one in best.attempts):
        return None
    usage = Usage.from_openai(best.usage)
    return None if usage is None else [usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens]


def _pool_cost_nusd(best: Answer | None, situation: Situation) -> int | None:
    dearest = situation.pool_dearest
    return None if dearest is None else _cost_nusd_of_the_same(best, dearest)


def audit_record(call: Learned, row: Call, best: Answer | None) -> JSONObject:
    """Return what the chain proves: who decided what with which probability, what it cost, which words (hashed)."""
    attempts = [attempt_facts(attempt) for answer in call.answers for attempt in answer.attempts]
    return {
        "kind": "call",
        "call_id": row.call_id,
        "at": call.opening.started_at.isoformat(),
        **({} if call.opening.forked_from is None else {"forked_from": call.opening.forked_from}),
        "status": row.status,
        "task": {"type": row.task_type, "cell": row.task_cell, "source": call.task.source},
        "router": row.router,
        "policy": call.policy,
        **_rules(call),
        "optimize_for": call.optimize_for,
        "decision": {key: row.decision[key] for key in _DECISION_FACTS},
        "attempts": [{key: one[key] for key in _ATTEMPT_FACTS if key in one} for one in attempts],
        "verdicts": [
            {
                "model_id": answer.model_id, "source": answer.verdict.source, "score": answer.verdict.score,
                "failed_check": answer.verdict.failed_check,
            }
            for answer in call.bought
            if answer.verdict is not None
        ],
        "answer": None
        if best is None
        else {"model_id": best.model_id, "sha256": digest(message_text(best.message or {}))},
        "prompt_sha256": digest(prompt_text(call)),
        **({} if call.recalled is None else {"memory": _recalled_facts(call.recalled)}),
        "cost_nusd": row.cost_nusd,
        "judge_cost_nusd": row.judge_cost_nusd,
    }  # fmt: skip


def _rules(call: Learned) -> JSONObject:
    """Return what the key and the org added to the policy, where they added something; and `store: false`."""
    opening, wishes = call.opening, replace(call.opening.wishes, is_unstored=False)
    imposed = {} if not opening.imposed else {"imposed": [plain(one) for one in opening.imposed]}
    settings = {name: value for name, value in plain(wishes).items() if name != "is_unstored"}
    return imposed | of_store(call) | ({} if wishes == AS_THE_GATEWAY else {"org_settings": settings})


def prompt_text(call: Opened) -> str:
    """Return the words of a call's messages, as they are stored and hashed."""
    return "\n\n".join(message_text(message) for message in call.messages)


def _recalled_facts(recalled: Recalled) -> JSONObject:
    """Return what was added to the caller's words, by the names of the passages and a digest of the text."""
    return {
        "ids": [one.memory_id for one in recalled.memories],
        "tokens": recalled.tokens,
        "budget_tokens": recalled.budget_tokens,
        "sha256": digest(recalled.block),
    }


def digest(text: str) -> str:
    """Return the SHA-256 of a text, 64 hex digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
