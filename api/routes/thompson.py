"""GET /thompson: what an org has learnt."""

from dataclasses import asdict
from typing import overload

from fastapi import APIRouter

from ...routing.belief.completion import TIER_PRIOR
from ...routing.belief.dominance import dominated
from ...routing.belief.label_evidence import OrgLabels
from ...routing.belief.pass_rates import counted_posterior, pass_rate, rescue_rate, tier_sums
from ...routing.belief.thompson import Learner, belief_mean, combine, offset_posterior, return_prob
from ...state.records import Evidence, Posterior
from ...state.types import TIERS
from ..deps import CascadeDep, KeyDep, org_to_read
from ..report_schemas import ArmSelection, CellArm, Thompson, TierArm, TierSelection

router = APIRouter(tags=["reports"])

TYPICAL_PROMPT_TOKENS = 1_000
"""Prompt at which the prices of models are compared."""


@router.get("/thompson/{project}", summary="Posteriors of one project")
async def thompson(project: str, cascade: CascadeDep, key: KeyDep) -> Thompson:
    """Return for each tier and context cell the plain counts, what selection reads, rescues, and dominated models."""
    org, services = org_to_read(key, project), cascade.services
    await services.refresh_labels(org)
    labels = services.judge_book.labels(org)
    pooled = await services.store.posteriors.read_pooled(org)
    cells = await services.store.posteriors.read_all(org)
    org_calls = await services.store.orgs.call_count(org)
    prices = {
        model_id: float(spec.expected_cost_nusd(TYPICAL_PROMPT_TOKENS))
        for model_id, spec in services.models_of(org).items()
    }
    arm_to_pooled = {one.model_id: one for one in pooled}
    labelled = [labels.added_to_all(one) for one in pooled]
    return Thompson(
        org=org,
        arms=[
            _tier_arm(tier, [one for one in labelled if one.tier == tier], services.learner) for tier in TIERS
        ],
        cells=[
            _cell_arm(cell, arm_to_pooled.get(cell.model_id), services.learner, org_calls, labels)
            for cell in cells
        ],
        dominated=[asdict(one) for one in dominated(labelled, prices, services.learner)],
    )


def _tier_arm(tier: str, pooled: list[Evidence], learner: Learner) -> TierArm:
    sums = tier_sums(pooled, learner)
    return TierArm(
        tier=tier,
        **_belief(counted_posterior(tier, tier, pooled, learner)),
        rescue_rate=_rounded(rescue_rate(pooled)),
        selection=TierSelection(
            observations=_rounded(sums[2]), pass_rate=_rounded(pass_rate(tier, tier, sums, learner).mean)
        ),
    )


def _cell_arm(
    cell: Evidence, pooled: Evidence | None, learner: Learner, org_calls: int, labels: OrgLabels
) -> CellArm:
    arm_to_pooled = {} if pooled is None else {cell.model_id: pooled}
    combined = combine({cell.model_id: cell}, arm_to_pooled, learner, org_calls)
    read = labels.added_to(combined, cell.task_cell)[cell.model_id]
    sums = (read.reward_sum, read.predicted_sum, read.weight)
    predicted = sums[1] / sums[2] if sums[2] > 0.0 else TIER_PRIOR[cell.tier]
    return CellArm(
        task_type=cell.task_cell,
        model_id=cell.model_id,
        tier=cell.tier,
        **_belief(counted_posterior(cell.model_id, cell.tier, [read], learner)),
        successes=_rounded(read.successes),
        failures=_rounded(read.failures),
        rescue_rate=_rounded(rescue_rate([cell])),
        selection=ArmSelection(
            observations=_rounded(sums[2]),
            pass_rate=_rounded(pass_rate(cell.model_id, cell.tier, sums, learner).mean),
            first_calls=round(cell.weight_total),
            mean_prediction=_rounded(predicted),
            mean_belief=_rounded(belief_mean(predicted, read, learner)),
            concentration=_rounded(offset_posterior(predicted, read, learner)[1]),
            drifts=read.drifts,
            return_prob=_rounded(return_prob(read)),
        ),
    )


def _belief(posterior: Posterior) -> dict[str, float]:
    return {
        "alpha": round(posterior.alpha, 6),
        "beta": round(posterior.beta, 6),
        "mean_reward": round(posterior.mean, 6),
        "confidence": round(posterior.confidence, 6),
    }


@overload
def _rounded(rate: float) -> float: ...
@overload
def _rounded(rate: None) -> None: ...
@overload
def _rounded(rate: float | None) -> float | None: ...


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
