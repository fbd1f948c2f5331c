"""Responses that their callers may read again and go on from, for every process that shares the database; by org."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from .database import Database
from .schema import calls, responses
from .types import JSONObject


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """A response as it is kept."""

    messages: list[JSONObject]
    """The conversation that ends with its answer, in a chat's words; nothing that was said to that call alone."""
    told: JSONObject
    """The reply that its caller was told."""


class Responses:
    """Keeps responses by org and call id; nothing is read or deleted without its org."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, org: str, call_id: str, kept: KeptResponse) -> bool:
        """Keep the response of a logged call, as old as that is, in the place of one that it had.

        Returns
        -------
        bool
            False where the log has no such call, as where it was erased: then nothing is kept.
        """

        def write(connection: Connection) -> bool:
            # Whoever erases the call waits for this row, or this for whoever erases.
            logged = select(calls.c.created_at).where(calls.c.org == org, calls.c.call_id == call_id)
            created_at = connection.scalar(logged.with_for_update(read=True))
            if created_at is None:
                return False
            connection.execute(delete(responses).where(_of(org, call_id)))
            row = {"org": org, "call_id": call_id, "created_at": created_at}
            content = {"messages": kept.messages, "told": kept.told}
            connection.execute(insert(responses).values(**row, content=content))
            return True

        return await self._database.transact(write)

    async def get(self, org: str, call_id: str, since: datetime | None = None) -> KeptResponse | None:
        """Return the response of a call; None where none is kept, or its call is older than `since`."""
        query = select(responses.c.content).where(_of(org, call_id))
        if since is not None:
            query = query.where(responses.c.created_at >= since)
        content = await self._database.query(lambda connection: connection.scalar(query))
        return None if content is None else KeptResponse(list(content["messages"]), content["told"])

    async def drop(self, org: str, call_id: str) -> bool:
        """Delete a response; return whether there was one."""
        gone = delete(responses).where(_of(org, call_id))
        return bool(await self._database.transact(lambda connection: connection.execute(gone).rowcount))

    async def drop_before(self, before: datetime) -> int:
        """Delete the responses of calls made before a time; return how many went."""
        gone = delete(responses).where(responses.c.created_at < before)
        return await self._database.transact(lambda connection: connection.execute(gone).rowcount)


def _of(org: str, call_id: str) -> ColumnElement[bool]:
    return (responses.c.org == org) & (responses.c.call_id == call_id)
