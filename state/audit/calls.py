"""The call log: one row for each request through the cascade, written together with its audit entry and the sums."""

import builtins
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ..changes import doubt_changes
from ..database import Database, explain
from ..errors import ChainBroken
from ..jobs import count_label
from ..open_calls import close_call
from ..records import Call
from ..savings import OrgStats
from ..schema import audit, calls, columns_for, orgs, values_of
from ..sqlite_thread import Asked
from ..statements import Statement
from .chain import append_entry, entry_from_row
from .day_sums import add_to_days
from .entries import AuditEntry
from .prompts import keep_prompt
from .sums import LOOKED_AT, add_call, read_sums

_log = logging.getLogger(__name__)

LOG = Statement(insert(calls))
# SQLAlchemy's own nested transaction takes as long as all the lessons do.
SAVEPOINT = Statement(text("SAVEPOINT taught"))
ROLLBACK = Statement(text("ROLLBACK TO SAVEPOINT taught"))
RELEASE = Statement(text("RELEASE SAVEPOINT taught"))
Teach = Callable[[Connection, int], None]
"""Writes what a call taught; told how many calls of the org were logged before it."""


class _AlreadyRecorded(Exception):
    """The call has a row; what this transaction did is undone."""


class Calls:
    """Records calls and sums them up.

    Parameters
    ----------
    unsure
        Tells what was asked for of a call, org and call id, without which it must not be logged.
    count
        Told an org's call count when a call of it was logged.
    """

    def __init__(
        self,
        database: Database,
        unsure: Callable[[str, str], Sequence[Asked[Any]]],
        count: Callable[[str, int], None],
    ) -> None:
        self._database = database
        self._unsure = unsure
        self._count = count

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
        StoreError
            When the database refuses, or what came of an attempt of the call could not be written.
        """
        asked_before = self._unsure(call.org, call.call_id)

        def record(connection: Connection) -> tuple[AuditEntry, int]:
            for asked in asked_before:
                if asked.error is not None:
                    raise asked.error
            return _record(connection, call, audit_record, teach)

        try:
            entry, call_count = await self._database.transact(record)
        except _AlreadyRecorded:
            return await self._recorded(call.org, call.call_id)
        self._count(call.org, call_count)
        return entry, call_count

    async def get(self, org: str, call_id: str) -> Call | None:
        """Return one call of the org."""
        query = select(*columns_for(calls, Call)).where(calls.c.org == org, calls.c.call_id == call_id)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else Call(*row)

    async def conversation_after(self, org: str, turn_keys: Sequence[bytes]) -> str | None:
        """Return the conversation in which the first of these turns that is on record was answered; None for none."""
        query = (
            select(calls.c.turn_key, calls.c.conversation_id)
            .where(calls.c.org == org, calls.c.turn_key.in_(turn_keys), calls.c.conversation_id.is_not(None))
            .order_by(calls.c.created_at)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        found = {bytes(row.turn_key): str(row.conversation_id) for row in rows}
        return next((found[key] for key in turn_keys if key in found), None)

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
        return await self._newest_with(calls.c.prompt_sha256, org, limit)

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
    row = values_of(call) | {
        "record_hash": entry.record_hash, "audit_idx": entry.index,
        "prompt_sha256": keep_prompt(connection, call.org, call.prompt),
    }  # fmt: skip
    try:
        LOG.count(connection, row)
    except IntegrityError as error:
        raise _AlreadyRecorded from error
    close_call(connection, call.org, call.call_id)
    add_call(connection, call)
    add_to_days(connection, call)
    if _is_labelled(call):
        count_label(connection, call.org, call.created_at)
    if teach is not None:
        SAVEPOINT.count(connection, {})
        try:
            teach(connection, call_count - 1)
            RELEASE.count(connection, {})
        except (SQLAlchemyError, ChainBroken, ValueError) as error:
            ROLLBACK.count(connection, {})
            doubt_changes(connection)
            reason = explain(error) if isinstance(error, SQLAlchemyError) else str(error)
            _log.warning("what call %s of org %s taught is lost: %s", call.call_id, call.org, reason)
    return entry, call_count


def _is_labelled(call: Call) -> bool:
    """Return whether the call can be learnt from: its prompt's vector is kept and its first answer was looked at."""
    verdict = call.decision.get("first_verdict")
    return call.inputs is not None and verdict is not None and verdict.get("source") in LOOKED_AT
