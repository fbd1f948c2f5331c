"""GET /thompson: what an org has learnt."""

from collections import defaultdict

from fastapi import APIRouter

from ...routing.thompson import tier_posterior
from ...state.records import Evidence
from ...state.types import TIERS
from ..deps import CascadeDep, KeyDep, org_to_read
from ..schemas import Thompson, TierArm

router = APIRouter(tags=["reports"])


@router.get("/thompson/{project}", summary="Posteriors of one project")
async def thompson(project: str, cascade: CascadeDep, key: KeyDep) -> Thompson:
    """Return Beta(alpha, beta) for each tier, and the evidence of each context cell."""
    org = org_to_read(key, project)
    evidence = await cascade.services.store.posteriors.read_all(org)
    tier_to_evidence: dict[str, list[Evidence]] = defaultdict(list)
    for cell in evidence:
        tier_to_evidence[cell.tier].append(cell)
    return Thompson(
        org=org,
        arms=[_tier_arm(tier, tier_to_evidence[tier]) for tier in TIERS],
        cells=[
            {
                "task_type": cell.task_cell,
                "model_id": cell.model_id,
                "tier": cell.tier,
                "successes": round(cell.successes, 4),
                "failures": round(cell.failures, 4),
                "first_call_weight": round(cell.weight, 4),
            }
            for cell in evidence
        ],
    )


def _tier_arm(tier: str, cells: list[Evidence]) -> TierArm:
    posterior = tier_posterior(
        tier, sum(cell.successes for cell in cells), sum(cell.failures for cell in cells)
    )
    return TierArm(
        tier=tier,
        alpha=round(posterior.alpha, 4),
        beta=round(posterior.beta, 4),
        mean_reward=round(posterior.mean, 4),
        confidence=round(posterior.confidence, 4),
    )
