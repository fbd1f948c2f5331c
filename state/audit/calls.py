"""The call log: one row for each request through the cascade, written together with its audit entry and the sums."""

import builtins
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ..database import Database, explain
from ..errors import ChainBroken
from ..jobs import count_label
from ..open_calls import close_call
from ..records import AuditEntry, Call
from ..savings import OrgStats
from ..schema import attempts, audit, calls, columns_for, judged_answers, orgs, values_of
from .chain import append_entry, entry_from_row
from .sums import LOOKED_AT, add_call, read_sums

_log = logging.getLogger(__name__)

LOG = insert(calls)
Teach = Callable[[Connection, int], None]
"""Writes what a call taught; told how many calls of the org were logged before it."""


class _AlreadyRecorded(Exception):
    """The call has a row; what this transaction did is undone."""


class Calls:
    """Records calls and sums them up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, call: Call, audit_record: dict[str, Any], teach: Teach | None = None
    ) -> tuple[AuditEntry, int]:
        """Log the call, extend the org's chain and add the call to the org's sums, all or nothing.

        The row keeps the hash of the new entry whatever `call.record_hash` says. A call already recorded is
        left as it is and its own entry returned. `teach` runs in the same transaction, after the rest: what is not
        logged teaches nothing. Where a lesson is refused the call is logged without it, with a warning.

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
            return await self._database.transact(
                lambda connection: _record(connection, call, audit_record, teach)
            )
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
        return await self._database.query(lambda connection: read_sums(connection, org))

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


def _record(
    connection: Connection, call: Call, audit_record: dict[str, Any], teach: Teach | None
) -> tuple[AuditEntry, int]:
    entry, call_count = append_entry(connection, call.org, audit_record, count_call=True)
    row = values_of(replace(call, record_hash=entry.record_hash)) | {"audit_idx": entry.index}
    try:
        connection.execute(LOG, row)
    except IntegrityError as error:
        raise _AlreadyRecorded from error
    close_call(connection, call.org, call.call_id)
    add_call(connection, call)
    if _is_labelled(call):
        count_label(connection, call.org, call.created_at)
    if teach is not None:
        try:
            with connection.begin_nested():
                teach(connection, call_count - 1)
        except (SQLAlchemyError, ChainBroken, ValueError) as error:
            reason = explain(error) if isinstance(error, SQLAlchemyError) else str(error)
            _log.warning("what call %s of org %s taught is lost: %s", call.call_id, call.org, reason)
    return entry, call_count


def _is_labelled(call: Call) -> bool:
    """Return whether the call can be learnt from: its prompt's vector is kept and its first answer was looked at."""
    verdict = call.decision.get("first_verdict")
    return call.inputs is not None and verdict is not None and verdict.get("source") in LOOKED_AT
