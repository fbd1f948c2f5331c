"""Orgs: who exists, how many calls each has made."""

from sqlalchemy import bindparam, select

from ..database import Database
from ..schema import orgs
from ..statements import Statement

CALL_COUNT = Statement(select(orgs.c.call_count).where(orgs.c.org == bindparam("name")))


class Orgs:
    """Reads the table of orgs; its rows are written with the audit chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call_count(self, org: str) -> int:
        """Return how many calls the org has on record, 0 for an unknown org."""
        row = await self._database.query(lambda connection: CALL_COUNT.row(connection, {"name": org}))
        return 0 if row is None else int(row[0])

    async def list(self) -> list[str]:
        """Return every org that has an audit chain, by name."""
        query = select(orgs.c.org).order_by(orgs.c.org)
        return list(await self._database.query(lambda connection: connection.scalars(query).all()))
