"""Open calls: begun and not yet logged. A row is written with a call's first attempt and goes with its log row."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, select, text, update

from .column_types import UtcMicroseconds
from .database import Database
from .leases import time_of
from .schema import columns_for, leases, open_calls
from .statements import Statement

LONGEST_CALL = timedelta(hours=3)
"""No call asks that long ago and is still at work, whatever the settings: it was left, though its holder lives."""

_OPEN = Statement(
    text(
        "INSERT INTO open_calls (org, call_id, holder, asked_at) VALUES (:org, :call_id, :holder, :asked_at)"
        " ON CONFLICT (org, call_id) DO UPDATE SET holder = excluded.holder, asked_at = excluded.asked_at"
    ).bindparams(bindparam("asked_at", type_=UtcMicroseconds))
)
_CLOSE = Statement(text("DELETE FROM open_calls WHERE org = :org AND call_id = :call_id"))


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that was begun and is not logged."""

    org: str
    call_id: str
    holder: str | None
    """Whose lease says that it is alive; None for one begun before there were leases."""
    asked_at: datetime
    """When its newest attempt began."""
    tries: int = 0
    """How often a process set about settling it."""
    reason: str | None = None
    """What the newest try met that failed."""
    set_aside_at: datetime | None = None
    """Since when it is not tried any more."""


def open_call(connection: Connection, org: str, call_id: str, holder: str, asked_at: datetime) -> None:
    """Note that a call asks, held by `holder`, in the transaction that writes its attempt down."""
    _OPEN.count(connection, {"org": org, "call_id": call_id, "holder": holder, "asked_at": asked_at})


def close_call(connection: Connection, org: str, call_id: str) -> None:
    """Note that a call is logged, in the transaction that logs it."""
    _CLOSE.count(connection, {"org": org, "call_id": call_id})


class OpenCalls:
    """Finds the calls of dead processes, and remembers what settling them met."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def due(self, own_after_s: float) -> list[OpenCall]:
        """Return the calls to settle, oldest first: those of dead holders, and own ones that were left.

        A holder is dead when its lease has run out; settings of processes play no part. Of this process's own calls
        those count that asked for the last time longer than `own_after_s` seconds ago, or that were tried before:
        the caller knows which of them are under way.
        """

        def read(connection: Connection) -> list[OpenCall]:
            now = time_of(connection)
            own = (open_calls.c.holder == self._holder) & (
                (open_calls.c.asked_at < now - timedelta(seconds=own_after_s)) | (open_calls.c.tries > 0)
            )
            theirs = (open_calls.c.holder != self._holder) & ~_is_alive(now)
            query = (
                select(*columns_for(open_calls, OpenCall))
                .where(open_calls.c.set_aside_at.is_(None) & (own | theirs | _is_over(now)))
                .order_by(open_calls.c.asked_at)
            )
            return [OpenCall(*row) for row in connection.execute(query).all()]

        return await self._database.query(read)

    async def take_over(self, call: OpenCall) -> OpenCall | None:
        """Make a dead holder's call this process's own, and count the try: one that kills its process is bounded too.

        None when another process was faster, or its holder came back.
        """
        tries = call.tries + 1

        def take(connection: Connection) -> bool:
            now = time_of(connection)
            was = open_calls.c.holder.is_(None) if call.holder is None else open_calls.c.holder == call.holder
            is_dead = ~_is_alive(now) | _is_over(now) | (open_calls.c.holder == self._holder)
            query = update(open_calls).where(_is(call.org, call.call_id) & was & is_dead)
            return connection.execute(query.values(holder=self._holder, tries=tries)).rowcount == 1

        return (
            replace(call, holder=self._holder, tries=tries) if await self._database.transact(take) else None
        )

    async def note_failure(self, call: OpenCall, reason: str, *, set_aside: bool) -> None:
        """Keep what a try met, and whether it was the last one."""

        def note(connection: Connection) -> None:
            set_aside_at = time_of(connection) if set_aside else None
            query = update(open_calls).where(_is(call.org, call.call_id))
            connection.execute(query.values(reason=reason, set_aside_at=set_aside_at))

        await self._database.transact(note)

    async def retry(self, org: str, call_id: str) -> bool:
        """Have a call that was set aside tried again, its tries forgotten; False when there is none."""

        def write(connection: Connection) -> bool:
            query = update(open_calls).where(_is(org, call_id) & open_calls.c.set_aside_at.is_not(None))
            return connection.execute(query.values(tries=0, set_aside_at=None)).rowcount == 1

        return await self._database.transact(write)

    async def forget(self, org: str, call_id: str) -> None:
        """Drop the row of a call that is logged, or that has no attempts."""
        await self._database.transact(lambda connection: close_call(connection, org, call_id))

    async def count_set_aside(self) -> int:
        """Return how many calls are not tried any more."""
        query = select(func.count()).where(open_calls.c.set_aside_at.is_not(None))
        return await self._database.query(lambda connection: connection.scalar(query)) or 0

    async def list(self) -> list[tuple[OpenCall, bool]]:
        """Return every open call, oldest first, and whether its holder is alive."""

        def read(connection: Connection) -> list[tuple[OpenCall, bool]]:
            query = select(
                *columns_for(open_calls, OpenCall), _is_alive(time_of(connection)).label("is_alive")
            ).order_by(open_calls.c.asked_at)
            rows = connection.execute(query).all()
            return [(OpenCall(*row[:-1]), bool(row.is_alive)) for row in rows]

        return await self._database.query(read)


def _is(org: str, call_id: str) -> ColumnElement[bool]:
    return (open_calls.c.org == org) & (open_calls.c.call_id == call_id)


def _is_over(now: datetime) -> ColumnElement[bool]:
    return open_calls.c.asked_at < now - LONGEST_CALL


def _is_alive(now: datetime) -> ColumnElement[bool]:
    return exists().where(leases.c.holder == open_calls.c.holder, leases.c.expires_at > now)
