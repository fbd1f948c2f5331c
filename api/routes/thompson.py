"""GET /thompson: what an org has learnt."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from ...routing.belief.dominance import dominated
from ...routing.belief.thompson import Learner, combined, rescue_rate, shown_posterior, tier_posterior
from ...state.records import Evidence, Posterior
from ...state.types import TIERS
from ..deps import CascadeDep, KeyDep, org_to_read
from ..schemas import Thompson, TierArm

router = APIRouter(tags=["reports"])

TYPICAL_PROMPT_TOKENS = 1_000
"""Prompt at which the prices of models are compared."""


@router.get("/thompson/{project}", summary="Posteriors of one project")
async def thompson(project: str, cascade: CascadeDep, key: KeyDep) -> Thompson:
    """Return Beta(alpha, beta) for each tier and context cell, rescues, and the models not worth their price."""
    org, services = org_to_read(key, project), cascade.services
    pooled = await services.store.posteriors.read_pooled(org)
    cells = await services.store.posteriors.read_all(org)
    prices = {
        model_id: float(spec.expected_cost_nusd(TYPICAL_PROMPT_TOKENS))
        for model_id, spec in services.models.items()
    }
    arm_to_pooled = {one.model_id: one for one in pooled}
    return Thompson(
        org=org,
        arms=[
            _tier_arm(tier, [one for one in pooled if one.tier == tier], services.learner) for tier in TIERS
        ],
        cells=[_cell(cell, arm_to_pooled.get(cell.model_id), services.learner) for cell in cells],
        dominated=[asdict(one) for one in dominated(pooled, prices, services.learner)],
    )


def _tier_arm(tier: str, pooled: list[Evidence], learner: Learner) -> TierArm:
    belief = _belief(tier_posterior(tier, pooled, learner))
    return TierArm(tier=tier, **belief, rescue_rate=_rounded(rescue_rate(pooled)))


def _cell(cell: Evidence, pooled: Evidence | None, learner: Learner) -> dict[str, Any]:
    sums = combined(cell, pooled, learner)
    return {
        "task_type": cell.task_cell,
        "model_id": cell.model_id,
        "tier": cell.tier,
        **_belief(shown_posterior(cell.model_id, cell.tier, sums, learner)),
        "successes": round(cell.successes, 4),
        "failures": round(cell.failures, 4),
        "first_call_weight": round(cell.weight, 4),
        "first_calls": round(cell.weight_total, 4),
        "rescue_rate": _rounded(rescue_rate([cell])),
    }


def _belief(posterior: Posterior) -> dict[str, float]:
    return {
        "alpha": round(posterior.alpha, 4),
        "beta": round(posterior.beta, 4),
        "mean_reward": round(posterior.mean, 4),
        "confidence": round(posterior.confidence, 4),
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
