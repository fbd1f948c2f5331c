"""What an org has asked: its calls and the decisions it asked for alone, in the order of its audit chain.

The place in the chain orders them without ties and without gaps, and what is logged later comes after whatever is
there: pages that begin below a place stay as they are while rows arrive.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    func,
    literal,
    select,
    union_all,
)

from ..database import Database
from ..records import Call
from ..schema import audit, calls, columns_for, decisions
from .decisions import LoggedDecision

Kind = Literal["call", "decision"]
LOGS: dict[Kind, Table] = {"call": calls, "decision": decisions}


@dataclass(frozen=True, slots=True)
class Logged:
    """One row of the history."""

    kind: Kind
    """"call", or "decision" where no model was asked."""
    index: int
    """Place of its entry in the org's chain."""
    record_hash: str
    prompt_sha256: str | None
    """As its entry says; null for a call that was interrupted."""
    row: Call | LoggedDecision


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of the history, newest first."""

    rows: list[Logged]
    total: int
    """Rows of the org, or of that user of it, on all pages."""
    next: int | None
    """Place that the following page lies below; None when nothing does."""


class History:
    """Reads what was logged of one org; nobody sees another's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(
        self,
        org: str,
        *,
        limit: int = 50,
        offset: int = 0,
        before: int | None = None,
        user_id: str | None = None,
    ) -> Page:
        """Return the newest calls and decisions, newest first.

        Parameters
        ----------
        limit, offset
            How many rows, and how many of the newest to pass over.
        before
            Place in the chain that all rows lie below; with a page's `next` the following page begins where it ended,
            whatever was logged or deleted meanwhile.
        user_id
            Whose within the org; None = everybody's.
        """

        def read(connection: Connection) -> Page:
            places = _places(org, user_id, before, limit + offset + 1)
            found = connection.execute(
                places.order_by(places.selected_columns.audit_idx.desc()).limit(limit + 1).offset(offset)
            ).all()
            shown = [(row.kind, row.call_id, row.audit_idx) for row in found[:limit]]
            more = shown[-1][2] if len(found) > limit and shown else None
            return Page(_rows(connection, org, shown), _count(connection, org, user_id), more)

        return await self._database.query(read)

    async def count(self, org: str, *, user_id: str | None = None) -> int:
        """Return how many calls and decisions the org, or that user of it, has on record."""
        return await self._database.query(lambda connection: _count(connection, org, user_id))

    async def get(self, org: str, call_id: str, *, user_id: str | None = None) -> Logged | None:
        """Return one call or decision; None where the org, or that user of it, has none by that id."""

        def read(connection: Connection) -> Logged | None:
            for kind, log in LOGS.items():
                mine = and_(*_of(log, org, user_id), log.c.call_id == call_id)
                index = connection.scalar(select(log.c.audit_idx).where(mine))
                if index is not None:
                    return next(iter(_rows(connection, org, [(kind, call_id, index)])), None)
            return None

        return await self._database.query(read)


def _of(log: Table, org: str, user_id: str | None) -> list[ColumnElement[bool]]:
    return [log.c.org == org] if user_id is None else [log.c.org == org, log.c.user_id == user_id]


def _places(org: str, user_id: str | None, before: int | None, most: int) -> Select[Any]:
    """Return a query for kind, id and place of the newest rows of both logs."""

    def newest(kind: Kind, log: Table) -> FromClause:
        query = select(literal(kind).label("kind"), log.c.call_id, log.c.audit_idx).where(
            *_of(log, org, user_id)
        )
        if before is not None:
            query = query.where(log.c.audit_idx < before)
        return query.order_by(log.c.audit_idx.desc()).limit(most).subquery()

    both = union_all(*(select(newest(kind, log)) for kind, log in LOGS.items())).subquery()
    return select(both)


def _count(connection: Connection, org: str, user_id: str | None) -> int:
    queries = [
        select(func.count()).select_from(log).where(*_of(log, org, user_id)).scalar_subquery()
        for log in LOGS.values()
    ]
    counted: int = connection.scalars(select(queries[0] + queries[1])).one()
    return counted


def _rows(connection: Connection, org: str, places: list[tuple[Kind, str, int]]) -> list[Logged]:
    """Return the rows at these places, in their order; one that was deleted since is left out."""
    found: dict[int, Logged] = {}
    for kind, log in LOGS.items():
        record_type = Call if kind == "call" else LoggedDecision
        wanted = [index for one, _, index in places if one == kind]
        if not wanted:
            continue
        columns = columns_for(log, record_type)
        query = (
            select(*columns, log.c.audit_idx, audit.c.record)
            .join(audit, and_(audit.c.org == log.c.org, audit.c.idx == log.c.audit_idx))
            .where(log.c.org == org, log.c.audit_idx.in_(wanted))
        )
        for *values, index, record in connection.execute(query).all():
            row = record_type(*values)
            digest = json.loads(record).get("prompt_sha256")
            found[index] = Logged(kind, index, row.record_hash, digest, row)
    return [found[index] for _, _, index in places if index in found]
