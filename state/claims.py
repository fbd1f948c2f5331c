"""Call ids that callers name: each is claimed by one request before anything is bought."""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from .database import Database
from .schema import attempts, call_claims, calls


class Claims:
    """Gives each call id to one request, however many ask for it at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, org: str, call_id: str, now: datetime, stale_before: datetime) -> bool:
        """Return whether this request got the call id: nobody did before, and no call of that id was begun.

        A claim made before `stale_before` under which nothing was bought belongs to a process that died.
        """

        def take(connection: Connection) -> bool:
            mine = (call_claims.c.org == org) & (call_claims.c.call_id == call_id)
            connection.execute(delete(call_claims).where(mine, call_claims.c.claimed_at < stale_before))
            taken = exists().where(mine)
            begun = exists().where(attempts.c.org == org, attempts.c.call_id == call_id)
            logged = exists().where(calls.c.org == org, calls.c.call_id == call_id)
            if connection.scalar(select(taken | begun | logged)):
                return False
            claim = {"org": org, "call_id": call_id, "claimed_at": now}
            try:
                connection.execute(insert(call_claims), claim)
            except IntegrityError:  # on Postgres two may both have seen none: the key decides
                return False
            return True

        return await self._database.transact(take)

    async def release(self, org: str, call_id: str) -> None:
        """Give back a call id under which nothing was bought: a request that was refused may be put right."""
        mine = (call_claims.c.org == org) & (call_claims.c.call_id == call_id)
        await self._database.transact(lambda connection: connection.execute(delete(call_claims).where(mine)))
