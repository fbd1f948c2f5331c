"""Provider keys that orgs brought along, encrypted: nobody reads them without the gateway's master key."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from .audit.chain import append_entry
from .database import Database
from .schema import columns_for, provider_keys, values_of

Mark = tuple[int, datetime | None]
"""How many there are, and when the newest came: it changes with every change."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One key of an org, for the deployments of one provider."""

    org: str
    key_id: str
    provider: str
    """Name of the deployments that it opens."""
    priority: int
    """Those of a lower number are used first."""
    prefix: str
    """How it begins, to be told by."""
    created_at: datetime
    sealed: bytes = field(repr=False)
    """Encrypted, with the org and the provider it belongs to."""


_ALL = select(*columns_for(provider_keys, ProviderKey)).order_by(
    provider_keys.c.org, provider_keys.c.priority, provider_keys.c.created_at, provider_keys.c.key_id
)


class ProviderKeys:
    """Adds, lists and removes them; each change is an entry of the org's audit chain, without the key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ProviderKey, by: str) -> None:
        """Keep a key; `by` says in the audit chain who brought it."""

        def put(connection: Connection) -> None:
            connection.execute(insert(provider_keys), values_of(key))
            append_entry(connection, key.org, _entry(key, "added", by))

        await self._database.transact(put)

    async def remove(self, org: str, key_id: str, by: str) -> bool:
        """Delete a key; False where the org has none of that id."""

        def take(connection: Connection) -> bool:
            mine = (provider_keys.c.org == org) & (provider_keys.c.key_id == key_id)
            row = connection.execute(_ALL.where(mine)).one_or_none()
            if row is None or not connection.execute(delete(provider_keys).where(mine)).rowcount:
                return False
            append_entry(connection, org, _entry(ProviderKey(*row), "removed", by))
            return True

        return await self._database.transact(take)

    async def of(self, org: str) -> list[ProviderKey]:
        """Return an org's keys in the order they are used in."""
        return await self._read(_ALL.where(provider_keys.c.org == org))

    async def all(self) -> list[ProviderKey]:
        """Return everybody's: for what keeps them apart in memory."""
        return await self._read(_ALL)

    async def _read(self, query: Select[Any]) -> list[ProviderKey]:
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [ProviderKey(*row) for row in rows]

    async def mark(self) -> Mark:
        """Return what changes when any key comes or goes."""
        query = select(func.count(), func.max(provider_keys.c.created_at))
        row = await self._database.query(lambda connection: connection.execute(query).one())
        return row[0], row[1]


def _entry(key: ProviderKey, action: str, by: str) -> dict[str, Any]:
    return {
        "kind": "provider_key", "action": action, "key_id": key.key_id, "provider": key.provider,
        "priority": key.priority, "by": by,
    }  # fmt: skip
