"""Leases: which processes are alive. Each renews a row of its own; a call is dead once its holder's lease has run out.

Times are the database's: processes on several machines need not agree about the clock.
"""

import os
import secrets
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, bindparam, delete, func, select, text

from .database import Database
from .schema import UtcMicroseconds, leases

BEATS = 6
"""How often a lease is renewed while it lasts."""

_RENEW = text(
    "INSERT INTO leases (holder, taken_at, expires_at) VALUES (:holder, :now, :until)"
    " ON CONFLICT (holder) DO UPDATE SET expires_at = excluded.expires_at"
).bindparams(bindparam("now", type_=UtcMicroseconds), bindparam("until", type_=UtcMicroseconds))


def new_holder() -> str:
    """Return a name for this process, or rather for one store it opened: process id and chance."""
    return f"{os.getpid()}-{secrets.token_hex(6)}"


def time_of(connection: Connection) -> datetime:
    """Return what time it is for everybody who uses the database; a SQLite file has one machine."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


class Lease:
    """The lease of this process, and whether it may tell others dead."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self.holder = holder
        self._renewed_s: float | None = None
        self._judges_from_s = 0.0

    async def renew(self, term_s: float) -> None:
        """Hold the lease for `term_s` seconds from now; leases of others that have run out are swept up.

        Raises
        ------
        StoreError
            When the database refuses.
        """
        began_s, beat_s = monotonic(), term_s / BEATS

        def write(connection: Connection) -> None:
            now = time_of(connection)
            row = {"holder": self.holder, "now": now, "until": now + timedelta(seconds=term_s)}
            connection.execute(_RENEW, row)
            connection.execute(delete(leases).where(leases.c.expires_at < now))

        await self._database.transact(write)
        now_s = monotonic()
        since_s = began_s if self._renewed_s is None else min(began_s, self._renewed_s + beat_s)
        if now_s - since_s > beat_s:
            # What held this process up may have held up the others: they are given time to renew theirs.
            self._judges_from_s = now_s + 2 * beat_s
        self._renewed_s = now_s

    async def release(self) -> None:
        """Give the lease up: what this process leaves unfinished may be settled at once."""

        def write(connection: Connection) -> None:
            connection.execute(delete(leases).where(leases.c.holder == self.holder))

        await self._database.transact(write)
        self._renewed_s = None

    @property
    def may_judge(self) -> bool:
        """Whether another's lease that has run out tells that its holder is dead: this one was renewed in time."""
        return self._renewed_s is not None and monotonic() >= self._judges_from_s
