"""What was said and may be remembered: passages of calls with their vectors, and which orgs let them be kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Delete, delete, func, insert, select, update

from .column_types import EPOCH, MICROSECOND
from .database import Database
from .memory_vectors import MOST_KEPT, VECTOR, ScopeVectors
from .recalled import Memory
from .schema import memories, memory_settings

_TRIM_ABOVE = MOST_KEPT + MOST_KEPT // 10
_READ = ("memory_id", "conversation_id", "call_id", "role", "text", "created_at", "allowed_providers")
_COLUMNS = [memories.c[name] for name in _READ]


@dataclass(frozen=True, slots=True)
class OrgMemory:
    """What one org settled."""

    org: str
    enabled: bool
    budget_tokens: int
    keep_days: float | None
    """None = as long as the gateway keeps it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question's vector at unit length, shape (dimension,), and the fingerprint of what made it."""

    vector: NDArray[np.float32]
    encoder: str


class Memories:
    """Keeps passages by org and scope; nothing is read or deleted without its org."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._vectors = ScopeVectors()

    async def keep(
        self,
        org: str,
        scope: str,
        passages: Sequence[Memory],
        vectors: NDArray[np.float32] | None,
        encoder: str,
    ) -> None:
        """Keep some passages; one that is kept already is as old as it is now.

        Parameters
        ----------
        vectors
            Of each passage, shape (n, dimension), at unit length; None = none could be made.
        encoder
            Fingerprint of what made them: only vectors of one encoder are compared.
        """
        rows = [
            {
                "org": org, "scope": scope, "memory_id": one.memory_id, "conversation_id": one.conversation_id,
                "call_id": one.call_id, "role": one.role, "text": one.text, "created_at": one.said_at,
                "allowed_providers": None if one.allowed_providers is None else json.dumps(one.allowed_providers),
                "vector": None if vectors is None else vectors[index].astype(VECTOR).tobytes(), "encoder": encoder,
            }
            for index, one in enumerate(passages)
        ]  # fmt: skip
        if rows:
            await self._database.transact(lambda connection: _keep(connection, org, scope, rows))

    async def nearest(self, org: str, scope: str, probe: Probe, most: int, since: datetime) -> list[Memory]:
        """Return the `most` passages said since then that are nearest to the probe, nearest first, then newest."""

        def read(connection: Connection) -> list[Memory]:
            mine = (memories.c.org == org) & (memories.c.scope == scope)
            kept = self._vectors.of(connection, org, scope, probe.encoder)
            if kept.matrix.shape[1:] != probe.vector.shape:
                return []
            cosines = kept.matrix.astype(np.float32) @ probe.vector
            cosines[kept.times < (since - EPOCH) // MICROSECOND] = -np.inf
            best = [
                index for index in np.argsort(-cosines, kind="stable")[:most] if np.isfinite(cosines[index])
            ]
            to_cosine = {kept.ids[index]: float(cosines[index]) for index in best}
            rows = connection.execute(select(*_COLUMNS).where(mine, memories.c.memory_id.in_(to_cosine)))
            read = [_memory(row, to_cosine[row.memory_id]) for row in rows]
            return sorted(read, key=lambda one: (one.similarity or 0.0, one.said_at), reverse=True)

        return await self._database.query(read)

    async def page(
        self,
        org: str,
        *,
        scope: str | None = None,
        conversation_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[tuple[str, Memory]], int]:
        """Return some of the org's passages, newest first, each with its scope, and how many there are."""
        wanted = _chosen(org, scope, conversation_id, None)
        query = (
            select(memories.c.scope, *_COLUMNS)
            .where(*wanted)
            .order_by(memories.c.created_at.desc(), memories.c.scope, memories.c.memory_id)
            .limit(limit)
            .offset(offset)
        )
        count = select(func.count()).select_from(memories).where(*wanted)

        def read(connection: Connection) -> tuple[list[tuple[str, Memory]], int]:
            rows = connection.execute(query).all()
            return [(row.scope, _memory(row)) for row in rows], int(connection.scalar(count) or 0)

        return await self._database.query(read)

    async def get(self, org: str, scope: str, memory_id: str) -> Memory | None:
        """Return one passage of the org."""
        query = select(*_COLUMNS).where(*_chosen(org, scope, None, memory_id))
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _memory(row)

    async def forget(
        self,
        org: str,
        *,
        scope: str | None = None,
        conversation_id: str | None = None,
        memory_id: str | None = None,
        call_id: str | None = None,
    ) -> int:
        """Delete the org's passages, or those of one scope, conversation, call or id; return how many went."""
        gone = delete(memories).where(*_chosen(org, scope, conversation_id, memory_id))
        if call_id is not None:
            gone = gone.where(memories.c.call_id == call_id)
        return await self._delete(gone)

    async def drop_before(self, before: datetime, org: str | None = None) -> int:
        """Delete what was said before then, of one org or of all; return how many passages went."""
        gone = delete(memories).where(memories.c.created_at < before)
        return await self._delete(gone if org is None else gone.where(memories.c.org == org))

    def forget_vectors(self, org: str) -> None:
        """Drop the vectors that this process keeps of an org."""
        self._vectors.forget(org)

    async def settings(self) -> list[OrgMemory]:
        """Return what every org settled that settled anything."""
        query = select(*(memory_settings.c[name] for name in OrgMemory.__dataclass_fields__))
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [OrgMemory(*row) for row in rows]

    async def settle(self, setting: OrgMemory, now: datetime) -> None:
        """Write down what an org settled."""
        values = {name: getattr(setting, name) for name in OrgMemory.__dataclass_fields__} | {
            "changed_at": now
        }

        def write(connection: Connection) -> None:
            mine = memory_settings.c.org == setting.org
            if not connection.execute(update(memory_settings).where(mine).values(values)).rowcount:
                connection.execute(insert(memory_settings), values)

        await self._database.transact(write)

    async def _delete(self, gone: Delete) -> int:
        count = await self._database.transact(lambda connection: connection.execute(gone).rowcount)
        if count:
            await self._database.give_back()
        return count


def _chosen(org: str, scope: str | None, conversation_id: str | None, memory_id: str | None) -> list[Any]:
    narrowed = {"scope": scope, "conversation_id": conversation_id, "memory_id": memory_id}
    return [
        memories.c.org == org,
        *(memories.c[name] == one for name, one in narrowed.items() if one is not None),
    ]


def _keep(connection: Connection, org: str, scope: str, rows: list[dict[str, Any]]) -> None:
    mine = (memories.c.org == org) & (memories.c.scope == scope)
    ids = [row["memory_id"] for row in rows]
    connection.execute(delete(memories).where(mine, memories.c.memory_id.in_(ids)))
    connection.execute(insert(memories), rows)
    count = connection.scalar(select(func.count()).select_from(memories).where(mine)) or 0
    if count > _TRIM_ABOVE:
        oldest = (
            select(memories.c.memory_id).where(mine).order_by(memories.c.created_at).limit(count - MOST_KEPT)
        )
        connection.execute(delete(memories).where(mine, memories.c.memory_id.in_(oldest.scalar_subquery())))


def _memory(row: Any, similarity: float | None = None) -> Memory:
    allowed = None if row.allowed_providers is None else tuple(json.loads(row.allowed_providers))
    return Memory(
        row.memory_id,
        row.conversation_id,
        row.call_id,
        row.role,
        row.text,
        row.created_at,
        allowed,
        similarity,
    )
