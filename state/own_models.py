"""Models of an org's own: what was registered of them, for every process on the store to read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from .audit.chain import append_entry
from .changes import note_change
from .database import Database
from .schema import own_models, posteriors

Mark = tuple[int, datetime | None]
"""How many there are, and when the newest came: it changes with every registration."""


@dataclass(frozen=True, slots=True)
class OwnModel:
    """One registered model."""

    org: str
    model_id: str
    spec: dict[str, Any]
    """What a registry file would say of it."""
    registered_at: datetime


_MODELS = select(
    own_models.c.org, own_models.c.model_id, own_models.c.spec, own_models.c.registered_at
).order_by(own_models.c.org, own_models.c.model_id)


class OwnModels:
    """Adds and removes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, model: OwnModel) -> bool:
        """Keep a model in the place of an earlier one of its id; return whether there was none.

        Another model may be behind the same id now, so what the org learnt of the earlier one is dropped. The org's
        audit chain says that it came, and later that it went.
        """

        def put(connection: Connection) -> bool:
            found = _remove(connection, model.org, model.model_id)
            row = {"org": model.org, "model_id": model.model_id, "spec": model.spec}
            connection.execute(insert(own_models), row | {"registered_at": model.registered_at})
            note_change(connection, model.org)
            append_entry(connection, model.org, _entry(model.model_id, "registered", model.spec))
            return not found

        return await self._database.transact(put)

    async def remove(self, org: str, model_id: str) -> bool:
        """Take a model away, with what was learnt of it; False where the org has none of that id."""

        def take(connection: Connection) -> bool:
            note_change(connection, org)
            found = _remove(connection, org, model_id)
            if found:
                append_entry(connection, org, _entry(model_id, "unregistered", None))
            return found

        return await self._database.transact(take)

    async def of(self, org: str) -> list[OwnModel]:
        """Return an org's, by id."""
        return await self._read(_MODELS.where(own_models.c.org == org))

    async def all(self) -> list[OwnModel]:
        """Return everybody's, by org and id: for what keeps them apart in memory."""
        return await self._read(_MODELS)

    async def _read(self, query: Select[Any]) -> list[OwnModel]:
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [OwnModel(*row) for row in rows]

    async def mark(self) -> Mark:
        """Return what changes when any model is registered or removed."""
        query = select(func.count(), func.max(own_models.c.registered_at))
        row = await self._database.query(lambda connection: connection.execute(query).one())
        return row[0], row[1]


def _entry(model_id: str, action: str, spec: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the chain says: which models an org's calls could go to is part of how they were decided."""
    return {"kind": "own_model", "action": action, "model_id": model_id, "spec": spec}


def _remove(connection: Connection, org: str, model_id: str) -> bool:
    connection.execute(delete(posteriors).where(posteriors.c.org == org, posteriors.c.model_id == model_id))
    gone = delete(own_models).where(own_models.c.org == org, own_models.c.model_id == model_id)
    return connection.execute(gone).rowcount == 1
