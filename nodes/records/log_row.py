"""What is written down of a call: its row in the log, and its record in the org's audit chain."""

from datetime import datetime
from hashlib import sha256

from ...providers.base import Usage
from ...providers.specs import ModelSpec
from ...routing.belief.org_model import inputs_id, pack_inputs
from ...state.records import Call
from ...state.types import CascadeState, JSONObject
from ..answer.explanation import message_text
from ..answer.verification import is_picked
from ..services import Services

_SEEN = ("source", "bin", "score", "judge_model")
_ATTEMPT_FACTS = ("attempt_id", "kind", "model_id", "status", "error", "spent_nusd", "cost_source")


def call_row(state: CascadeState, services: Services, best: JSONObject | None, latency_ms: float) -> Call:
    """Return the log row of a call; `best` is the answer returned, None when none was bought."""
    verdict = state["verdicts"][best["step"]] if best else {}
    spent = {
        kind: sum(one["spent_nusd"] for one in state["attempts"] if one["kind"] == kind)
        for kind in ("answer", "judge")
    }
    reference, decision = services.reference_for(state["router"]), state["first_decision"]
    return Call(
        call_id=state["call_id"],
        org=state["org"],
        created_at=datetime.fromisoformat(state["started_at"]),
        status="failed" if best is None else "answered",
        task_type=state["task_type"],
        task_cell=state["task_cell"],
        difficulty=state["difficulty"],
        model_id=best["model_id"] if best else None,
        provider=best["provider"] if best else None,
        tier=best["tier"] if best else None,
        cost_nusd=spent["answer"],
        judge_cost_nusd=spent["judge"],
        reference_cost_nusd=_reference_cost_nusd(best, reference) if best else spent["answer"],
        quality_score=verdict.get("score"),
        quality_source=verdict.get("source", "none"),
        latency_ms=latency_ms,
        cascade_steps=len(state["held"]),
        escalations=state["escalations"],
        fallbacks=state["fallbacks"],
        propensity=decision["propensity"],
        router=state["router"],
        simulated=bool(best and best["simulated"]),
        record_hash="",
        decision={
            **decision,
            "difficulty": state["difficulty"],
            "optimize_for": state["optimize_for"],
            **_what_was_seen(state, services),
        },
        prompt=_prompt_text(state) if services.limits.store_prompts else None,
        inputs=pack_inputs(state["embedding"], state["features"]) if services.limits.store_inputs else None,
    )


def _what_was_seen(state: CascadeState, services: Services) -> JSONObject:
    """Return what a refit needs beside the prompt's vector: how the first answer of the decided model was found.

    Later answers are asked for after failures, so they would teach too low a quality.
    """
    model_id, verdicts = state["first_decision"]["model_id"], state["verdicts"]
    first = next((one for one in verdicts if one["step"] == 0 and one["model_id"] == model_id), None)
    look = None if first is None else first.get("look")
    if first is not None and is_picked(first):
        first = None  # judged or not because of how it looked: it would teach what the look believes
    made_by = services.difficulty
    return {
        "memory_hit": state["memory_hit"],
        "inputs_id": inputs_id(made_by.encoder_fingerprint, made_by.encoder_dimension),
        "look": look,
        "first_verdict": None if first is None else {key: first[key] for key in _SEEN},
    }


def _reference_cost_nusd(best: JSONObject, reference: ModelSpec) -> int:
    """Return what the returned answer's tokens would have cost on the reference frontier model."""
    return reference.cost_nusd(Usage.from_openai({**best["usage"], "cost": None})) if best["usage"] else 0


def audit_record(state: CascadeState, call: Call, best: JSONObject | None) -> JSONObject:
    """Return what the chain proves: who decided what with which probability, what it cost, which words (hashed)."""
    return {
        "kind": "call",
        "call_id": call.call_id,
        "at": state["started_at"],
        "status": call.status,
        "task": {"type": call.task_type, "cell": call.task_cell, "source": state["task_source"]},
        "router": call.router,
        "policy": state["policy"],
        "optimize_for": state["optimize_for"],
        "decision": {
            key: state["first_decision"][key]
            for key in ("model_id", "tier", "propensity", "judge_prob", "explored", "strategy")
        },
        "attempts": [
            {key: one[key] for key in _ATTEMPT_FACTS}
            for one in state["attempts"]
        ],
        "verdicts": [
            {key: one[key] for key in ("model_id", "source", "score", "failed_check")}
            for one in state["verdicts"]
        ],
        "answer": None
        if best is None
        else {"model_id": best["model_id"], "sha256": _digest(message_text(best["message"]))},
        "prompt_sha256": _digest(_prompt_text(state)),
        "cost_nusd": call.cost_nusd,
        "judge_cost_nusd": call.judge_cost_nusd,
    }  # fmt: skip


def _prompt_text(state: CascadeState) -> str:
    return "\n\n".join(message_text(message) for message in state["messages"])


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
