"""Chains of calls that callers name: how many steps each took, and since when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from .database import Database
from .errors import ChainEnded
from .schema import chains

KEPT = timedelta(days=30)
"""How long a chain that takes no step is remembered."""


@dataclass(frozen=True, slots=True)
class ChainBounds:
    """How long a chain may go on; None = without end."""

    max_steps: int | None = None
    timeout_s: float | None = None
    """Seconds from the beginning of its first call to that of its last."""


class Chains:
    """Counts a step before anything is bought, so that of many calls at once no more than may be are let in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def step(self, org: str, chain_id: str, bounds: ChainBounds, now: datetime) -> int:
        """Count one more call of a chain and return how many it has.

        Raises
        ------
        ChainEnded
            When it had as many as it may, or goes on for too long; then the call is not counted.
        """
        key = _key(org, chain_id)

        def take(connection: Connection) -> int:
            connection.execute(delete(chains).where(chains.c.seen_at < now - KEPT))
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            first = insert(chains).values(org=org, chain_key=key, steps=1, began_at=now, seen_at=now)
            once_more = first.on_conflict_do_update(
                index_elements=["org", "chain_key"], set_={"steps": chains.c.steps + 1, "seen_at": now}
            )
            steps, began_at = connection.execute(once_more.returning(chains.c.steps, chains.c.began_at)).one()
            _require_room(bounds, steps, (now - began_at).total_seconds())  # what it raises undoes the count
            return int(steps)

        return await self._database.transact(take)

    async def step_back(self, org: str, chain_id: str) -> None:
        """Take back the step of a call that was refused; a chain without any begins anew."""
        mine = (chains.c.org == org) & (chains.c.chain_key == _key(org, chain_id))

        def give(connection: Connection) -> None:
            connection.execute(update(chains).where(mine).values(steps=chains.c.steps - 1))
            connection.execute(delete(chains).where(mine, chains.c.steps < 1))

        await self._database.transact(give)


def _require_room(bounds: ChainBounds, steps: int, taken_s: float) -> None:
    if bounds.max_steps is not None and steps > bounds.max_steps:
        raise ChainEnded(
            f"the chain had its {bounds.max_steps} steps; name another chain, or allow more",
            field="routing_hints.max_chain_steps",
        )
    if bounds.timeout_s is not None and taken_s > bounds.timeout_s:
        raise ChainEnded(
            f"the chain began {taken_s:.0f} s ago and may take {bounds.timeout_s:g} s; name another, or allow more",
            field="routing_hints.chain_timeout_s",
        )


def _key(org: str, chain_id: str) -> bytes:
    return blake2b(f"{org}\0{chain_id}".encode(), digest_size=16).digest()
