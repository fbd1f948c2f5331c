"""GET /stats: what was spent and saved."""

from collections.abc import Mapping
from dataclasses import asdict

from fastapi import APIRouter

from ...nodes.services import Services
from ...state.errors import Forbidden
from ...state.learning.estimates import CostEstimate
from ...state.records import usd_from_nusd
from ...state.savings import OrgStats
from ...state.types import TIERS
from ..deps import CascadeDep, KeyDep, org_to_read
from ..report_schemas import CostEstimate as WireEstimate
from ..report_schemas import SmallerPool, Stats

router = APIRouter(tags=["reports"])


@router.get("/stats/all", summary="Stats over all projects")
async def stats_of_all(cascade: CascadeDep, key: KeyDep) -> Stats:
    """Aggregate over every org; a key must be an admin's, others see their own org only."""
    if key is not None and not key.is_admin:
        raise Forbidden(f"this key belongs to org {key.org!r} and cannot read all projects")
    return await _stats(cascade.services, None)


@router.get("/stats/{project}", summary="Stats of one project")
async def stats(project: str, cascade: CascadeDep, key: KeyDep) -> Stats:
    """Return calls, cost, savings, quality, latency and the mix of models and tiers."""
    return await _stats(cascade.services, org_to_read(key, project))


async def _stats(services: Services, org: str | None) -> Stats:
    store = services.store
    wire = to_wire(await store.calls.stats(org), await store.estimates.costs(org), services)
    return wire.model_copy(
        update={"total_disputed_usd": usd_from_nusd(await store.attempts.disputed_nusd(org))}
    )


def to_wire(stats: OrgStats, estimates: Mapping[str, CostEstimate], services: Services) -> Stats:
    """Return the sums in dollars, and which models savings are measured against."""
    return Stats(
        total_calls=stats.total_calls,
        total_cost_usd=usd_from_nusd(stats.cost_nusd),
        total_saved_usd=usd_from_nusd(stats.saved_nusd),
        avg_quality=stats.avg_quality,
        avg_latency_ms=stats.avg_latency_ms,
        model_distribution=stats.model_distribution,
        tier_distribution=dict.fromkeys(TIERS, 0) | stats.tier_distribution,
        total_judge_cost_usd=usd_from_nusd(stats.judge_cost_nusd),
        reference_model=services.reference.model_id,
        total_saved_vs_pool_usd=usd_from_nusd(stats.pool_saved_nusd),
        smaller_pools={
            router: SmallerPool(
                calls=one.total_calls,
                dearest_model=_dearest(router, services),
                total_saved_usd=usd_from_nusd(one.saved_nusd),
                total_saved_vs_pool_usd=usd_from_nusd(one.pool_saved_nusd),
            )
            for router, one in stats.smaller_pools.items()
        },
        cost_estimates={model_id: WireEstimate(**asdict(one)) for model_id, one in estimates.items()},
    )


def _dearest(router: str, services: Services) -> str | None:
    spec = services.dearest_for(router) if router in services.routers else None
    return None if spec is None else spec.model_id
