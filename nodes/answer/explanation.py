"""Which answer is returned, and why this model: the part of the reply that explains itself."""

import json
from dataclasses import asdict
from typing import Any

from ...routing.plan.policy import Policy
from ...routing.prompt.complexity import complexity_of
from ...routing.prompt.features import documented
from ...state.records import usd_from_nusd
from ...state.types import CascadeState, JSONObject
from ..offers.candidates import price_arms
from ..services import Services


def best_answer(state: CascadeState) -> JSONObject | None:
    """Return the answer held with the highest posterior quality, the later one of equals; None when none was bought.

    One that failed a free check (empty, cut off, not the JSON asked for) comes after every one that passed.
    """
    return max(state["held"], key=lambda held: (held["passed"], held["quality"], held["step"]), default=None)


def message_text(message: JSONObject) -> str:
    """Return the text of an OpenAI message; text parts are joined, a call of tools alone is shown as JSON."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    if content is None and message.get("tool_calls"):
        return json.dumps(message["tool_calls"], ensure_ascii=False)
    return content or ""


def explain(state: CascadeState, services: Services) -> dict[str, Any]:
    """Return the candidates with probability, draw and expected cost, who was removed by what, and the path taken."""
    arms = {arm.model_id: arm for arm in price_arms(state, services)}
    candidates = [
        {
            "model_id": model_id,
            "tier": arms[model_id].tier,
            "modalities": sorted(arms[model_id].modalities),
            "completion_prob": round(arms[model_id].completion_prob, 4),
            "theta": round(theta, 4),
            "expected_cost_usd": usd_from_nusd(arms[model_id].expected_cost_nusd),
            "expected_latency_ms": arms[model_id].expected_latency_ms,
        }
        for model_id, theta in state["thetas"].items()
    ]
    return {
        "candidates": candidates,
        "removed": state["removed"],
        "first_decision": state["first_decision"],
        "difficulty": {
            "value": state["difficulty"], "sigma": state["difficulty_sigma"], "band": state["difficulty_band"],
        },
        "task": {
            "type": state["task_type"], "cell": state["task_cell"], "confidence": state["task_confidence"],
            "source": state["task_source"], "request_type": state["request_type"],
        },
        "request": {
            "complexity": asdict(complexity_of(state["messages"], state["options"])),
            "features": documented(state["features"]),
        },
        "verdicts": state["verdicts"],
        "attempts": state["attempts"],
        "move_reason": state["move_reason"],
        "learned": state["learned"],
        "path": state["timings"],
        "reference_model": services.reference_for(state["router"]).model_id,
        "modality_preference": _modality_preference(state, services),
    }  # fmt: skip


def _modality_preference(state: CascadeState, services: Services) -> dict[str, Any]:
    """Return which modalities were preferred, and whether some eligible model read them all, so that one was asked."""
    wanted = Policy.parse(state["policy"]).prefer_modalities
    first = services.spec(state["first_decision"]["model_id"])
    return {"requested": sorted(wanted), "applied": bool(wanted) and wanted <= first.modalities}
