"""Orgs: who exists, how many calls each has made."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import bindparam, select

from ..database import Database
from ..schema import orgs
from ..statements import Statement

CALL_COUNT = Statement(select(orgs.c.call_count).where(orgs.c.org == bindparam("name")))
FRESH_S = 1.0
"""Age at which a count kept in memory is read again."""
MOST_ORGS = 2_000
"""Orgs whose count is kept in memory; those longest unseen are forgotten."""


@dataclass(frozen=True, slots=True)
class _Counted:
    calls: int
    at_s: float


class Orgs:
    """Reads the table of orgs; its rows are written with the audit chain."""

    def __init__(self, database: Database, clock_s: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._clock_s = clock_s
        self._counted: OrderedDict[str, _Counted] = OrderedDict()

    async def call_count(self, org: str) -> int:
        """Return how many calls the org has on record, 0 for an unknown org."""
        row = await self._database.query(lambda connection: CALL_COUNT.row(connection, {"name": org}))
        return 0 if row is None else int(row[0])

    async def recent_call_count(self, org: str) -> int:
        """Return what `call_count` does, or did within `FRESH_S`: calls that this process records are in it at once."""
        known = self._counted.get(org)
        if known is None or not 0.0 <= self._clock_s() - known.at_s < FRESH_S:
            self.note_call_count(org, await self.call_count(org))
        return self._counted[org].calls

    def note_call_count(self, org: str, calls: int) -> None:
        """Keep a count that was just read or written."""
        self._counted[org] = _Counted(calls, self._clock_s())
        self._counted.move_to_end(org)
        while len(self._counted) > MOST_ORGS:
            self._counted.popitem(last=False)

    def forget(self, org: str) -> None:
        """Drop what is remembered of an org."""
        self._counted.pop(org, None)

    async def list(self) -> list[str]:
        """Return every org that has an audit chain, by name."""
        query = select(orgs.c.org).order_by(orgs.c.org)
        return list(await self._database.query(lambda connection: connection.scalars(query).all()))
