"""GET /stats: what was spent and saved."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from ...nodes.org.comparison import compare
from ...nodes.org.quality import bounds_of, quality_of
from ...nodes.services import Services
from ...state.errors import Forbidden
from ...state.learning.estimates import CostEstimate
from ...state.records import usd_from_nusd
from ...state.savings import OrgStats
from ...state.store import Store
from ...state.types import TIERS
from ..deps import CascadeDep, KeyDep, ManagerDep, org_to_read
from ..report_schemas import Comparison as WireComparison
from ..report_schemas import CostEstimate as WireEstimate
from ..report_schemas import Quality, QualityBound, SmallerPool, Stats

router = APIRouter(tags=["reports"])


@router.get("/stats/all", summary="Stats over all projects")
async def stats_of_all(cascade: CascadeDep, key: ManagerDep) -> Stats:
    """Aggregate over every org; for an admin's key, and on the gateway's own machine for everybody."""
    if key is not None and not key.is_admin:
        raise Forbidden(f"this key belongs to org {key.org!r} and cannot read all projects")
    return await _stats(cascade.services, None)


@router.get("/stats/{project}", summary="Stats of one project")
async def stats(project: str, cascade: CascadeDep, key: KeyDep) -> Stats:
    """Return calls, cost, savings, quality, latency and the mix of models and tiers."""
    return await _stats(cascade.services, org_to_read(key, project))


async def _stats(services: Services, org: str | None) -> Stats:
    store = services.store
    sums = await store.calls.stats(org)
    wire = to_wire(sums, await store.estimates.costs(org), services)
    update: dict[str, Any] = {
        "total_byok_usd": usd_from_nusd(await store.attempts.byok_nusd(org)),
        "total_disputed_usd": usd_from_nusd(await store.attempts.disputed_nusd(org)),
        "comparison": WireComparison(**asdict(await compare(services, org))),
    }
    if org is not None:
        settings = await services.org_settings.of(org, store, services.clock_s())
        if settings.reference_model in services.models:
            update["reference_model"] = settings.reference_model
        update |= await _proved(store, org, sums)
    return wire.model_copy(update=update)


async def _proved(store: Store, org: str, sums: OrgStats) -> dict[str, Any]:
    """Return what labels say of the org's quality."""
    quality, bounds = await quality_of(store, org, sums), await bounds_of(store, org)
    return {
        "quality": None if quality is None else Quality(**asdict(quality)),
        "quality_bound": {task: QualityBound(**asdict(one)) for task, one in bounds.items()},
    }


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
        cache_hits=stats.cache_hits,
        cache_saved_usd=usd_from_nusd(stats.cache_saved_nusd),
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
