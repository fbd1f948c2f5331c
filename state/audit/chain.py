"""The audit chain: one hash-linked list of entries for each org, and the walk that proves it whole.

An entry's hash covers its record and the hash before it. The length and the last hash are kept apart from the
entries (table `orgs`), so a chain whose tail was cut off no longer meets its head.
"""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, select, text
from sqlalchemy.exc import IntegrityError

from ..column_types import PackedText, UtcMicroseconds, canonical_json
from ..database import Database
from ..errors import ChainBroken, StoreError
from ..schema import audit, orgs
from ..statements import Statement
from .entries import AuditEntry, Verification
from .walk import GENESIS_HASH, chain_hash, walk_new, walk_whole

__all__ = ["GENESIS_HASH", "Audit", "append_entry", "canonical_json", "chain_hash", "entry_from_row"]

_log = logging.getLogger(__name__)

TAKE_HEAD = Statement(
    text(
        "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at)"
        " VALUES (:org, :counted, 1, :genesis, :now)"
        " ON CONFLICT (org) DO UPDATE SET chain_length = orgs.chain_length + 1,"
        " call_count = orgs.call_count + excluded.call_count"
        " RETURNING chain_length, chain_head, call_count"
    ).bindparams(bindparam("now", type_=UtcMicroseconds))
)
INSERT_ENTRY = Statement(
    text(
        "INSERT INTO audit (org, idx, prev_hash, record_hash, record, created_at)"
        " VALUES (:org, :idx, :prev_hash, :record_hash, :record, :now)"
    ).bindparams(bindparam("now", type_=UtcMicroseconds), bindparam("record", type_=PackedText))
)
MOVE_HEAD = Statement(text("UPDATE orgs SET chain_head = :record_hash WHERE org = :org"))
# Only from where the check began; what a walk of the whole chain found meanwhile is not overruled.
MOVE_MARK = text(
    "UPDATE orgs SET verified_length = :length, verified_head = :head"
    " WHERE org = :org AND verified_length = :from_length AND verified_head = :from_head"
)
SET_MARK = text(
    "UPDATE orgs SET verified_length = :length, verified_head = :head, fully_verified_at = :now WHERE org = :org"
).bindparams(bindparam("now", type_=UtcMicroseconds))
DISTRUST = text("UPDATE orgs SET fully_verified_at = NULL WHERE org = :org")


def entry_from_row(row: Any) -> AuditEntry:
    """Build an entry from a row with the columns of `audit`."""
    return AuditEntry(row.org, row.idx, row.prev_hash, row.record_hash, json.loads(row.record))


def append_entry(
    connection: Connection, org: str, record: dict[str, Any], *, count_call: bool = False
) -> tuple[AuditEntry, int]:
    """Add one entry within the caller's transaction and return it with the org's call count.

    Taking the head locks the org's row until the transaction ends, so appends to one chain form a line.

    Parameters
    ----------
    connection
        As lent by `Database.transact`.
    org, record
        Whose chain, and any JSON object.
    count_call
        Whether the org's call count goes up by one.

    Raises
    ------
    ChainBroken
        When the head does not meet the entries: its place or its link is already taken.
    """
    canonical, now = canonical_json(record), datetime.now(UTC)
    taken = {"org": org, "counted": int(count_call), "genesis": GENESIS_HASH, "now": now}
    ((length, prev_hash, call_count),) = TAKE_HEAD.rows(connection, taken)
    entry = AuditEntry(org, length - 1, prev_hash, chain_hash(prev_hash, canonical), record)
    row = {"org": org, "idx": entry.index, "prev_hash": prev_hash, "record_hash": entry.record_hash}
    try:
        INSERT_ENTRY.count(connection, row | {"record": canonical, "now": now})
    except IntegrityError as error:
        raise ChainBroken(
            f"the chain of org {org!r} cannot be extended at index {entry.index}: its head does not meet "
            "its entries; verify the chain"
        ) from error
    MOVE_HEAD.count(connection, {"org": org, "record_hash": entry.record_hash})
    return entry, call_count


class Audit:
    """Appends to the chains and verifies them. There is no way to change an entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, org: str, record: dict[str, Any]) -> AuditEntry:
        """Add one entry in a transaction of its own.

        Raises
        ------
        ChainBroken
            When the head does not meet the entries.
        """
        entry, _ = await self._database.transact(lambda connection: append_entry(connection, org, record))
        return entry

    async def tail(self, org: str, limit: int) -> list[AuditEntry]:
        """Return the org's newest `limit` entries, oldest first."""
        newest = select(audit).where(audit.c.org == org).order_by(audit.c.idx.desc()).limit(limit)
        rows = await self._database.query(lambda connection: connection.execute(newest).all())
        return [entry_from_row(row) for row in reversed(rows)]

    async def verify(
        self, org: str, *, expect_head: str | None = None, expect_index: int | None = None
    ) -> Verification:
        """Walk the org's chain and name the first index that does not hold. An org without entries is intact.

        Each entry must sit at its place, link to the hash before it and hash to what it says; the last one
        must be the head, and nothing may lie outside. An entry rewritten together with its own hash shows at
        the entry after it, or at the head. How far the chain was found whole is noted: it must hold what it held
        then, and `verify_new` goes on from there.

        Parameters
        ----------
        org
            Whose chain.
        expect_head
            A head noted earlier outside the database; it must still be a hash of this chain.
        expect_index
            The place it was noted for; None = any.
        """
        found = await self._database.query(
            lambda connection: walk_whole(connection, org, expect_head, expect_index)
        )
        return await self._noted(found)

    async def head(self, org: str) -> tuple[int, str]:
        """Return how many entries the org's chain has and the hash of the last one; nothing is checked."""
        query = select(orgs.c.chain_length, orgs.c.chain_head).where(orgs.c.org == org)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return (0, GENESIS_HASH) if row is None else (row.chain_length, row.chain_head)

    async def verify_new(self, org: str) -> Verification:
        """Check the entries since the chain was last found whole, and the last one of those before.

        An edit of an older entry is not seen: `verify` finds it, and from then on this walks the whole chain, too,
        until it is found whole again.
        """
        new = await self._database.query(lambda connection: walk_new(connection, org))
        if new is None or not new[1].intact:
            return await self.verify(org)
        mark, found = new
        if found.total_records > mark.length:
            moved = {"length": found.total_records, "head": found.head_hash}
            began = {"from_length": mark.length, "from_head": mark.head}
            await self._note(MOVE_MARK, {"org": org} | moved | began)
        return found

    async def verify_all(self, *, only_new: bool = False) -> list[Verification]:
        """Verify the chain of every org that has a head or an entry, by name; `only_new` as in `verify_new`."""
        everyone = select(orgs.c.org).union(select(audit.c.org)).order_by("org")
        names = await self._database.query(lambda connection: connection.scalars(everyone).all())
        return [await (self.verify_new(name) if only_new else self.verify(name)) for name in names]

    async def _noted(self, found: Verification) -> Verification:
        if not found.intact:
            await self._note(DISTRUST, {"org": found.org})
            return replace(found, fully_verified_at=None)
        now = datetime.now(UTC)
        whole = {"org": found.org, "length": found.total_records, "head": found.head_hash, "now": now}
        await self._note(SET_MARK, whole)
        return replace(found, fully_verified_at=now)

    async def _note(self, statement: TextClause, values: dict[str, Any]) -> None:
        """Write down how far a chain was verified; what was found is told also where that cannot be kept."""
        try:
            await self._database.transact(lambda connection: connection.execute(statement, values).close())
        except StoreError as error:
            _log.warning("how far the chain of org %r was verified cannot be noted: %s", values["org"], error)
