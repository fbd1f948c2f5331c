"""The call log: one row for each request through the cascade, written together with its audit entry."""

import builtins
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..database import Database
from ..jobs import count_label
from ..open_calls import close_call
from ..records import AuditEntry, Call, OrgStats
from ..schema import attempts, audit, calls, columns_for, judged_answers, orgs, values_of
from .chain import append_entry, entry_from_row

NO_ANSWER = "none"
"""Where a distribution counts calls that bought no answer, so that it sums to all of them."""
LOOKED_AT = ("judge", "checks")
"""Sources of a quality score that somebody looked at; the others are predictions."""
LOG = insert(calls)


class _AlreadyRecorded(Exception):
    """The call has a row; what this transaction did is undone."""


class Calls:
    """Records calls and sums them up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, call: Call, audit_record: dict[str, Any]) -> tuple[AuditEntry, int]:
        """Log the call, extend the org's chain and count the call, all or nothing.

        The row keeps the hash of the new entry whatever `call.record_hash` says. A call already recorded is
        left as it is and its own entry returned.

        Returns
        -------
        tuple[AuditEntry, int]
            The call's entry, and the org's call count after it.

        Raises
        ------
        ChainBroken
            When the chain cannot be extended; nothing is logged then.
        """
        try:
            return await self._database.transact(lambda connection: _record(connection, call, audit_record))
        except _AlreadyRecorded:
            return await self._recorded(call.org, call.call_id)

    async def get(self, org: str, call_id: str) -> Call | None:
        """Return one call of the org."""
        query = select(*columns_for(calls, Call)).where(calls.c.org == org, calls.c.call_id == call_id)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else Call(*row)

    async def list(self, org: str, limit: int, before: datetime | None = None) -> list[Call]:
        """Return the org's newest `limit` calls, newest first, made before `before` if given."""
        query = select(*columns_for(calls, Call)).where(calls.c.org == org)
        if before is not None:
            query = query.where(calls.c.created_at < before)
        query = query.order_by(calls.c.created_at.desc(), calls.c.call_id.desc()).limit(limit)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Call(*row) for row in rows]

    async def with_inputs(self, org: str, limit: int) -> builtins.list[Call]:
        """Return the org's newest `limit` calls whose prompt's vector was kept, oldest first."""
        return await self._newest_with(calls.c.inputs, org, limit)

    async def with_prompts(self, org: str, limit: int) -> builtins.list[Call]:
        """Return the org's newest `limit` calls whose prompt was kept, oldest first."""
        return await self._newest_with(calls.c.prompt, org, limit)

    async def _newest_with(self, kept: Column[Any], org: str, limit: int) -> builtins.list[Call]:
        query = (
            select(*columns_for(calls, Call))
            .where(calls.c.org == org, kept.is_not(None))
            .order_by(calls.c.created_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Call(*row) for row in reversed(rows)]

    async def stats(self, org: str | None) -> OrgStats:
        """Return the sums over the org's calls, or over everybody's when `org` is None."""
        query = _SUMS if org is None else _SUMS.where(calls.c.org == org)
        return _stats(await self._database.query(lambda connection: connection.execute(query).all()))

    async def forget_prompts(self, org: str | None, before: datetime) -> int:
        """Erase the prompts of calls and the responses of attempts made before `before`.

        The vectors made of prompts and answers go too; the rest of each row stays. Returns how many prompts went.
        `org` None means every org.
        """
        vectors = update(calls).where(calls.c.created_at < before, calls.c.inputs.is_not(None))
        prompts = update(calls).where(calls.c.created_at < before, calls.c.prompt.is_not(None))
        responses = update(attempts).where(attempts.c.started_at < before, attempts.c.response.is_not(None))
        seen = delete(judged_answers).where(judged_answers.c.created_at < before)
        if org is not None:
            seen = seen.where(judged_answers.c.org == org)
            prompts, responses = prompts.where(calls.c.org == org), responses.where(attempts.c.org == org)
            vectors = vectors.where(calls.c.org == org)

        def forget(connection: Connection) -> int:
            connection.execute(responses.values(response=None))
            connection.execute(vectors.values(inputs=None))
            connection.execute(seen)
            return connection.execute(prompts.values(prompt=None)).rowcount

        return await self._database.transact(forget)

    async def _recorded(self, org: str, call_id: str) -> tuple[AuditEntry, int]:
        query = (
            select(audit, orgs.c.call_count)
            .join(calls, (calls.c.org == audit.c.org) & (calls.c.audit_idx == audit.c.idx))
            .join(orgs, orgs.c.org == audit.c.org)
            .where(calls.c.org == org, calls.c.call_id == call_id)
        )
        row = await self._database.query(lambda connection: connection.execute(query).one())
        return entry_from_row(row), row.call_count


def _record(connection: Connection, call: Call, audit_record: dict[str, Any]) -> tuple[AuditEntry, int]:
    entry, call_count = append_entry(connection, call.org, audit_record, count_call=True)
    row = values_of(replace(call, record_hash=entry.record_hash)) | {"audit_idx": entry.index}
    try:
        connection.execute(LOG, row)
    except IntegrityError as error:
        raise _AlreadyRecorded from error
    close_call(connection, call.org, call.call_id)
    if _is_labelled(call):
        count_label(connection, call.org, call.created_at)
    return entry, call_count


def _is_labelled(call: Call) -> bool:
    """Return whether the call can be learnt from: its prompt's vector is kept and its first answer was looked at."""
    verdict = call.decision.get("first_verdict")
    return call.inputs is not None and verdict is not None and verdict.get("source") in LOOKED_AT


_looked_at = case((calls.c.quality_source.in_(LOOKED_AT), calls.c.quality_score))
# Of a call whose process died nobody knows how long it took.
_timed = case((calls.c.status != "interrupted", calls.c.latency_ms))
# One statement, so that every number comes from the same snapshot.
_SUMS = select(
    calls.c.model_id,
    calls.c.tier,
    func.count().label("total"),
    func.sum(calls.c.cost_nusd).label("cost"),
    func.sum(calls.c.judge_cost_nusd).label("judge_cost"),
    func.sum(calls.c.reference_cost_nusd - calls.c.cost_nusd).label("saved"),
    func.count(_looked_at).label("looked_at"),
    func.sum(_looked_at).label("quality"),
    func.count(_timed).label("timed"),
    func.sum(_timed).label("latency"),
).group_by(calls.c.model_id, calls.c.tier)


def _stats(groups: Sequence[Row[Any]]) -> OrgStats:
    models: dict[str, int] = {}
    tiers: dict[str, int] = {}
    for group in groups:
        model_id, tier = group.model_id or NO_ANSWER, group.tier or NO_ANSWER
        models[model_id] = models.get(model_id, 0) + group.total
        tiers[tier] = tiers.get(tier, 0) + group.total
    total, looked_at, timed = (
        sum(getattr(group, name) for group in groups) for name in ("total", "looked_at", "timed")
    )
    return OrgStats(
        total_calls=total,
        # Postgres sums BIGINT to NUMERIC.
        cost_nusd=int(sum(group.cost for group in groups)),
        judge_cost_nusd=int(sum(group.judge_cost for group in groups)),
        saved_nusd=int(sum(group.saved for group in groups)),
        avg_quality=sum(group.quality or 0.0 for group in groups) / looked_at if looked_at else None,
        avg_latency_ms=sum(group.latency or 0.0 for group in groups) / timed if timed else None,
        model_distribution=models,
        tier_distribution=tiers,
    )
