"""Orgs: how they are named, who exists, how many calls each has made."""

import re

from sqlalchemy import select

from .database import Database
from .errors import InvalidRequest
from .schema import orgs

ORG_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def validate_org(org: str) -> str:
    """Return `org` unchanged when it is a name an org may have.

    Raises
    ------
    InvalidRequest
        When it is not 1 to 64 of a-z, 0-9, "-" and "_", starting with a letter or digit.
    """
    if not ORG_PATTERN.fullmatch(org):
        raise InvalidRequest(
            "org must be 1 to 64 characters of a-z, 0-9, '-' and '_', the first a letter or digit, "
            f"got {org[:80]!r}",
            field="org",
        )
    return org


class Orgs:
    """Reads the table of orgs; its rows are written with the audit chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call_count(self, org: str) -> int:
        """Return how many calls the org has on record, 0 for an unknown org."""
        query = select(orgs.c.call_count).where(orgs.c.org == org)
        return await self._database.query(lambda connection: connection.scalar(query)) or 0

    async def list(self) -> list[str]:
        """Return every org that has an audit chain, by name."""
        query = select(orgs.c.org).order_by(orgs.c.org)
        return list(await self._database.query(lambda connection: connection.scalars(query).all()))
