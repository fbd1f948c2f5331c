"""The audit chain: one hash-linked list of entries for each org, and the walk that proves it whole.

An entry's hash covers its record and the hash before it. The length and the last hash are kept apart from the
entries (table `orgs`), so a chain whose tail was cut off no longer meets its head.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.exc import IntegrityError

from ..database import Database
from ..errors import ChainBroken
from ..records import AuditEntry, Verification
from ..schema import UtcMicroseconds, audit, canonical_json, orgs

__all__ = ["GENESIS_HASH", "Audit", "append_entry", "canonical_json", "chain_hash", "entry_from_row"]

GENESIS_HASH = "0" * 64
"""What the first entry links to."""
PAGE = 5_000
"""Entries held in memory at a time while a chain is walked."""

TAKE_HEAD = text(
    "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at)"
    " VALUES (:org, :counted, 1, :genesis, :now)"
    " ON CONFLICT (org) DO UPDATE SET chain_length = orgs.chain_length + 1,"
    " call_count = orgs.call_count + excluded.call_count"
    " RETURNING chain_length, chain_head, call_count"
).bindparams(bindparam("now", type_=UtcMicroseconds))
INSERT_ENTRY = text(
    "INSERT INTO audit (org, idx, prev_hash, record_hash, record, created_at)"
    " VALUES (:org, :idx, :prev_hash, :record_hash, :record, :now)"
).bindparams(bindparam("now", type_=UtcMicroseconds))
MOVE_HEAD = text("UPDATE orgs SET chain_head = :record_hash WHERE org = :org")
NEXT_PAGE = text(
    "SELECT idx, prev_hash, record_hash, record FROM audit"
    " WHERE org = :org AND idx >= :start AND idx < :length ORDER BY idx LIMIT :page"
)
# Asked in one statement, so that an entry appended meanwhile is never seen without its head.
FIRST_STRAY = text(
    "SELECT MIN(idx) FROM audit WHERE org = :org AND (idx < 0 OR idx >="
    " COALESCE((SELECT chain_length FROM orgs WHERE orgs.org = :org), 0))"
)


def chain_hash(prev_hash: str, canonical: str) -> str:
    """Return SHA-256 of `prev_hash` followed by the canonical record, UTF-8, as 64 hex digits."""
    return sha256(f"{prev_hash}{canonical}".encode()).hexdigest()


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
    length, prev_hash, call_count = connection.execute(TAKE_HEAD, taken).one()
    entry = AuditEntry(org, length - 1, prev_hash, chain_hash(prev_hash, canonical), record)
    row = {"org": org, "idx": entry.index, "prev_hash": prev_hash, "record_hash": entry.record_hash}
    try:
        connection.execute(INSERT_ENTRY, row | {"record": canonical, "now": now})
    except IntegrityError as error:
        raise ChainBroken(
            f"the chain of org {org!r} cannot be extended at index {entry.index}: its head does not meet "
            "its entries; verify the chain"
        ) from error
    connection.execute(MOVE_HEAD, {"org": org, "record_hash": entry.record_hash})
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

    async def verify(self, org: str, *, expect_head: str | None = None) -> Verification:
        """Walk the org's chain and name the first index that does not hold. An org without entries is intact.

        Each entry must sit at its place, link to the hash before it and hash to what it says; the last one
        must be the head, and nothing may lie outside. An entry rewritten together with its own hash shows at
        the entry after it, or at the head.

        Parameters
        ----------
        org
            Whose chain.
        expect_head
            A head noted earlier outside the database; it must still be a hash of this chain.
        """
        return await self._database.query(lambda connection: _verify(connection, org, expect_head))

    async def verify_all(self) -> list[Verification]:
        """Verify the chain of every org that has a head or an entry, by name."""
        everyone = select(orgs.c.org).union(select(audit.c.org)).order_by("org")
        names = await self._database.query(lambda connection: connection.scalars(everyone).all())
        return [await self.verify(name) for name in names]


def _verify(connection: Connection, org: str, expect_head: str | None) -> Verification:
    length, head = _head(connection, org)
    walk = _Walk(org, expect_head)
    while walk.result.intact and walk.result.total_records < length:
        page = {"org": org, "start": walk.result.total_records, "length": length, "page": PAGE}
        rows = connection.execute(NEXT_PAGE, page).all()
        if not rows:
            return walk.broken(walk.result.total_records, "tail cut off")
        walk.follow(rows)
    if not walk.result.intact:
        return walk.result
    if walk.result.head_hash != head:
        return walk.broken(max(length - 1, 0), "differs from the head")
    stray = connection.scalar(FIRST_STRAY, {"org": org})
    if stray is not None:
        return walk.broken(stray, "not counted by the head")
    if not walk.met_expected:
        return walk.broken(length, "expected head not in the chain")
    return walk.result


def _head(connection: Connection, org: str) -> tuple[int, str]:
    query = select(orgs.c.chain_length, orgs.c.chain_head).where(orgs.c.org == org)
    row = connection.execute(query).one_or_none()
    return (0, GENESIS_HASH) if row is None else (row.chain_length, row.chain_head)


class _Walk:
    """How far a chain was followed, and what was found."""

    def __init__(self, org: str, expect_head: str | None) -> None:
        self.result = Verification(org, intact=True, total_records=0, head_hash=GENESIS_HASH)
        self.met_expected = expect_head in (None, GENESIS_HASH)
        self._expect_head = expect_head

    def follow(self, rows: Any) -> None:
        """Check `rows` (idx, prev_hash, record_hash, record) as the next entries of the chain."""
        last_hash, expected = self.result.head_hash, self.result.total_records
        reason = None
        for index, prev_hash, record_hash, record in rows:
            if index != expected:
                reason = "missing"
            elif prev_hash != last_hash:
                reason = "out of order"
            elif chain_hash(prev_hash, record) != record_hash:
                reason = "edited"
            if reason is not None:
                break
            last_hash = record_hash
            expected += 1
            if record_hash == self._expect_head:
                self.met_expected = True
        self.result = replace(self.result, total_records=expected, head_hash=last_hash)
        if reason is not None:
            self.broken(expected, reason)

    def broken(self, index: int, reason: str) -> Verification:
        """Note the first index that does not hold."""
        self.result = replace(self.result, intact=False, first_broken_index=index, reason=reason)
        return self.result
