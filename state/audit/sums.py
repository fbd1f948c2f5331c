"""Sums over the call log, moved by the transaction that logs a call, so that nobody walks the log to read them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from ..records import Call
from ..savings import OrgStats, Spending
from ..schema import call_sums
from ..statements import Statement

NO_ANSWER = "none"
"""Where a distribution counts calls that bought no answer, so that it sums to all of them."""
LOOKED_AT = ("judge", "checks")
"""Sources of a quality score that somebody looked at; the others are estimates."""
KEYS = ("org", "router", "model_id", "tier")
FIGURES = (
    "total_calls", "cost_nusd", "judge_cost_nusd", "reference_cost_nusd", "pool_cost_nusd", "pool_calls",
    "rated", "quality", "timed", "latency_ms", "cache_hits", "cache_saved_nusd",
)  # fmt: skip

ADD = Statement(
    text(
        f"INSERT INTO call_sums ({', '.join(KEYS + FIGURES)})"  # noqa: S608 - names of this file
        f" VALUES ({', '.join(f':{name}' for name in KEYS + FIGURES)})"
        f" ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET "
        + ", ".join(f"{name} = call_sums.{name} + excluded.{name}" for name in FIGURES)
    )
)
# One statement, so that every number comes from the same snapshot.
SUMS = select(
    *(call_sums.c[name] for name in KEYS[1:]), *(func.sum(call_sums.c[name]).label(name) for name in FIGURES)
).group_by(*(call_sums.c[name] for name in KEYS[1:]))


def add_call(connection: Connection, call: Call) -> None:
    """Count a call that was logged, within the transaction that logged it."""
    # Estimates count as well: failed checks are seen of every answer, judgements of some, so that these alone would
    # say too little good of the others.
    is_rated = call.quality_score is not None
    is_timed = call.status != "interrupted"  # of a call whose process died nobody knows how long it took
    ADD.count(
        connection,
        {
            "org": call.org,
            "router": call.router,
            "model_id": call.model_id or NO_ANSWER,
            "tier": call.tier or NO_ANSWER,
            "total_calls": 1,
            "cost_nusd": call.cost_nusd,
            "judge_cost_nusd": call.judge_cost_nusd,
            "reference_cost_nusd": call.reference_cost_nusd,
            "pool_cost_nusd": call.reference_cost_nusd
            if call.pool_cost_nusd is None
            else call.pool_cost_nusd,
            "pool_calls": int(call.pool_cost_nusd is not None),
            "rated": int(is_rated),
            "quality": call.quality_score if is_rated else 0.0,
            "timed": int(is_timed),
            "latency_ms": call.latency_ms if is_timed else 0.0,
            "cache_hits": int(call.cache_type is not None),
            "cache_saved_nusd": call.cache_saved_nusd,
        },
    )


def read_sums(connection: Connection, org: str | None) -> OrgStats:
    """Return the sums over the org's calls, or over everybody's when `org` is None."""
    query = SUMS if org is None else SUMS.where(call_sums.c.org == org)
    groups = connection.execute(query).all()
    rated, timed = (_sum(groups, name) for name in ("rated", "timed"))
    pooled = {group.router for group in groups if group.pool_calls}
    return OrgStats(
        **_spending(groups),
        avg_quality=sum(group.quality for group in groups) / rated if rated else None,
        avg_latency_ms=sum(group.latency_ms for group in groups) / timed if timed else None,
        model_distribution=_distribution(groups, "model_id"),
        tier_distribution=_distribution(groups, "tier"),
        cache_hits=_sum(groups, "cache_hits"),
        cache_saved_nusd=_sum(groups, "cache_saved_nusd"),
        smaller_pools={
            router: Spending(**_spending([group for group in groups if group.router == router]))
            for router in sorted(pooled)
        },
    )


def _spending(groups: Sequence[Row[Any]]) -> dict[str, int]:
    return {one.name: _sum(groups, one.name) for one in fields(Spending)}


def _distribution(groups: Sequence[Row[Any]], key: str) -> dict[str, int]:
    names = sorted({getattr(group, key) for group in groups})
    return {name: _sum([one for one in groups if getattr(one, key) == name], "total_calls") for name in names}


def _sum(groups: Sequence[Row[Any]], name: str) -> int:
    return sum(int(getattr(group, name)) for group in groups)  # Postgres sums BIGINT to NUMERIC
