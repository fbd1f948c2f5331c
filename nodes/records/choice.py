"""Among whom a call chose, with which probabilities and at what prices: what off-policy evaluation reads."""

from ...state.logged_arms import LoggedArm
from ...state.types import JSONObject
from ...state.working_memory import Learned
from ..offers.situation import Situation


def choice_facts(call: Learned, situation: Situation) -> JSONObject:
    """Return every arm the call might have asked first, and the terms it was decided under."""
    terms = situation.terms
    return {
        "arms": {one.model_id: one.to_row() for one in arms_of(call, situation)},
        "terms": {
            "reference_cost_nusd": round(terms.reference_cost_nusd),
            "reference_latency_ms": round(terms.reference_latency_ms),
            "quality_price": round(terms.prices.quality_price, 6),
            "latency_price": round(terms.prices.latency_price, 6),
            "judge_cost": round(terms.prices.judge_cost, 6),
            "quality_bar": terms.prices.quality_bar,
            "judge": None if situation.judge is None else situation.judge.name,
        },
    }


def arms_of(call: Learned, situation: Situation) -> list[LoggedArm]:
    """Return the arms that the call's first decision chose among."""
    arms, selection = {arm.model_id: arm for arm in situation.arms}, call.selection
    return [
        LoggedArm(
            model_id=model_id, tier=arms[model_id].tier, propensity=prob,
            completion_prob=arms[model_id].completion_prob, mean=selection.beliefs[model_id].mean,
            strength=selection.strengths.get(model_id, 0.0), cost_nusd=arms[model_id].expected_cost_nusd,
            latency_ms=arms[model_id].expected_latency_ms, availability=arms[model_id].availability,
        )
        for model_id, prob in call.first_decision.arm_probs.items()
        if model_id in arms and model_id in selection.beliefs
    ]  # fmt: skip
