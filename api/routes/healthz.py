"""GET /healthz: can this gateway route."""

from importlib.metadata import version
from time import monotonic

from fastapi import APIRouter, Request

from ...graph.bootstrap import NO_JUDGE
from ...state.types import TIERS
from ..deps import CascadeDep
from ..schemas import Health
from ..trouble import facts, trouble_of

router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)  # as load balancers ask
@router.get("/healthz", summary="Liveness and what is connected")
async def healthz(request: Request, cascade: CascadeDep) -> Health:
    """Answer 200 once the store is open and models are routable; needs no key."""
    services = cascade.services
    simulated = all(spec.simulated for spec in services.models.values())
    degraded, writes = cascade.degraded(), cascade.checkpoint_writes
    if request.app.state.admission.is_overloaded:
        degraded["overload"] = "more calls come than can be served; some are refused with 503"
    trouble = trouble_of(services)
    degraded |= trouble.sentences
    return Health(
        status="degraded" if degraded else "ok",
        degraded=degraded,
        checkpoints={"written": writes.written, "lost": writes.lost},
        version=version("x25"),
        upstream="simulated" if simulated else "real",
        models=len(services.models),
        tiers={tier: sum(spec.tier == tier for spec in services.models.values()) for tier in TIERS},
        judge=services.judge.name if services.judge is not None else None,
        judge_unreadable={} if services.judge is None else dict(services.judge.unreadable),
        breakers=[facts(one) for one in trouble.breakers],
        keys_exhausted=trouble.keys,
        keys_refused=trouble.refused_keys,
        notices=[] if services.judge is not None else [NO_JUDGE],
        longest_pause_ms=request.app.state.pulse.longest_ms,
        uptime_s=round(monotonic() - request.app.state.started_s, 3),
    )
