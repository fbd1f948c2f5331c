"""Leases: which processes are alive. Each renews a row of its own; a call is dead once its holder's lease has run out.

Times are the database's: processes on several machines need not agree about the clock.
"""

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic, time

from sqlalchemy import Connection, bindparam, delete, func, select, text

from .column_types import UtcMicroseconds
from .database import Database
from .rate_slots import free_slots
from .schema import leases

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
        self._renewed: _Moment | None = None
        self._term_s = 0.0
        self._judges_from_s = 0.0

    async def renew(self, term_s: float) -> None:
        """Hold the lease for `term_s` seconds from now; leases of others that have run out are swept up.

        So are the places among an org's limited calls that their processes held.

        Raises
        ------
        StoreError
            When the database refuses.
        """
        began, beat_s = _Moment.now(), term_s / BEATS

        def write(connection: Connection) -> None:
            now = time_of(connection)
            row = {"holder": self.holder, "now": now, "until": now + timedelta(seconds=term_s)}
            connection.execute(_RENEW, row)
            has_run_out = leases.c.expires_at < now
            for dead in connection.scalars(select(leases.c.holder).where(has_run_out)).all():
                free_slots(connection, dead)
            connection.execute(delete(leases).where(has_run_out))

        await self._database.transact(write)
        now = _Moment.now()
        was_late = self._renewed is not None and now.since_s(self._renewed) > 2 * beat_s
        if was_late or now.since_s(began) > beat_s:
            # What held this process up may have held up the others: they are given time to renew theirs.
            self._judges_from_s = now.monotonic_s + 2 * beat_s
        self._renewed, self._term_s = now, term_s

    async def release(self) -> None:
        """Give the lease up: what this process leaves unfinished may be settled at once."""

        def write(connection: Connection) -> None:
            connection.execute(delete(leases).where(leases.c.holder == self.holder))

        await self._database.transact(write)
        self._renewed = None

    @property
    def may_judge(self) -> bool:
        """Whether another's lease that has run out tells that its holder is dead: this one was renewed in time."""
        now = _Moment.now()
        if self._renewed is None or now.since_s(self._renewed) > self._term_s:
            return False
        return now.monotonic_s >= self._judges_from_s


@dataclass(frozen=True, slots=True)
class _Moment:
    """Readings of two clocks: one stands still while the machine sleeps, the other may be set."""

    monotonic_s: float
    wall_s: float

    @classmethod
    def now(cls) -> "_Moment":
        return cls(monotonic(), time())

    def since_s(self, earlier: "_Moment") -> float:
        return max(self.monotonic_s - earlier.monotonic_s, self.wall_s - earlier.wall_s)
