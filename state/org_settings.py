"""What orgs set for their calls. This table keeps it; what it means is `routing.plan.org_settings`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

from .audit.chain import append_entry
from .column_types import CanonicalJSON, UtcMicroseconds
from .database import Database
from .schema import org_settings

Make = Callable[[dict[str, Any]], dict[str, Any]]

# On Postgres changes of one org wait for each other at its row, which therefore must be there.
TAKE = (
    text(
        "INSERT INTO org_settings (org, settings, updated_at) VALUES (:org, '{}', :now)"
        " ON CONFLICT (org) DO UPDATE SET updated_at = excluded.updated_at RETURNING settings"
    )
    .bindparams(bindparam("now", type_=UtcMicroseconds))
    .columns(settings=CanonicalJSON)
)


class SettingsOfOrgs:
    """Reads and changes the settings of orgs; each change is an entry of the org's audit chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, org: str) -> dict[str, Any]:
        """Return what the org has set; empty for nothing."""
        query = select(org_settings.c.settings).where(org_settings.c.org == org)
        found: dict[str, Any] | None = await self._database.query(lambda connection: connection.scalar(query))
        return found or {}

    async def all_with(self, name: str) -> dict[str, Any]:
        """Return the value of one setting, of each org that has set it."""
        query = select(org_settings.c.org, org_settings.c.settings)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return {row.org: row.settings[name] for row in rows if row.settings.get(name) is not None}

    async def change(self, org: str, make: Make, by: str) -> dict[str, Any]:
        """Return the settings that `make` makes of the present ones, once they are kept.

        What it raises changes nothing.
        `by` says in the audit chain who made the change: the id of a key, or "" for nobody with one.
        """
        now = datetime.now(UTC)

        def work(connection: Connection) -> dict[str, Any]:
            made = make(connection.scalar(TAKE, {"org": org, "now": now}) or {})
            connection.execute(update(org_settings).where(org_settings.c.org == org).values(settings=made))
            record = {"kind": "settings", "at": now.isoformat(), "by": by, "settings": made}
            append_entry(connection, org, record)
            return made

        return await self._database.transact(work)
