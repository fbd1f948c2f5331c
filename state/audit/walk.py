"""The walk along an audit chain, from its beginning or from where it was found whole earlier."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select, text

from ..packing import unpack_bytes
from ..schema import audit, orgs
from ..statements import Statement
from .entries import Verification
from .tombstones import TOMBSTONE, erased_by

GENESIS_HASH = "0" * 64
"""What the first entry links to."""
TOMBSTONE_BYTES = TOMBSTONE.encode()
PAGE = 5_000
"""Entries held in memory at a time while a chain is walked."""

# SQLite would refuse to read a text that an edit left without a UTF-8 form.
NEXT_PAGE = {
    dialect: Statement(
        text(
            f"SELECT idx, prev_hash, record_hash, {record} FROM audit"  # noqa: S608 - names of this file
            " WHERE org = :org AND idx >= :start AND idx < :length ORDER BY idx LIMIT :page"
        )
    )
    for dialect, record in (("sqlite", "CAST(record AS BLOB)"), ("postgresql", "record"))
}
# Asked in one statement, so that an entry appended meanwhile is never seen without its head.
FIRST_STRAY = text(
    "SELECT MIN(idx) FROM (SELECT MIN(idx) AS idx FROM audit WHERE org = :org AND idx < 0"
    " UNION ALL SELECT MIN(idx) FROM audit WHERE org = :org AND idx >="
    " COALESCE((SELECT chain_length FROM orgs WHERE orgs.org = :org), 0)) AS strays"
)


def chain_hash(prev_hash: str, canonical: str) -> str:
    """Return SHA-256 of `prev_hash` followed by the canonical record, UTF-8, as 64 hex digits."""
    return hash_of_bytes(prev_hash, canonical.encode())


def hash_of_bytes(prev_hash: str, record: bytes) -> str:
    """Return `chain_hash` of a record that is in UTF-8 already."""
    return sha256(prev_hash.encode() + record).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a chain was found whole earlier."""

    length: int = 0
    head: str = GENESIS_HASH


def walk_whole(
    connection: Connection, org: str, expect_head: str | None = None, expect_index: int | None = None
) -> Verification:
    """Return what is found from the first entry to the head."""
    return _walk(connection, _Walk(_state(connection, org), expect_head, expect_index))


def walk_new(connection: Connection, org: str) -> tuple[Mark, Verification] | None:
    """Return how far the chain was found whole earlier, and what is found from the last entry of that on.

    None where it must be walked whole: it never was, or it was found broken since.
    """
    state = _state(connection, org)
    if state.fully_verified_at is None:
        return None
    walk, last = _Walk(state, None), max(state.mark.length - 1, 0)
    query = select(audit.c.prev_hash).where(audit.c.org == org, audit.c.idx == last)
    prev_hash = connection.scalar(query) if state.mark.length else GENESIS_HASH
    if prev_hash is None:
        return state.mark, walk.broken(last, "missing")
    walk.begin_at(last, prev_hash)
    return state.mark, _walk(connection, walk)


@dataclass(frozen=True, slots=True)
class _State:
    """What is kept of a chain apart from its entries."""

    org: str
    length: int = 0
    head: str = GENESIS_HASH
    calls: int = 0
    mark: Mark = Mark()
    fully_verified_at: datetime | None = None


def _state(connection: Connection, org: str) -> _State:
    row = connection.execute(select(orgs).where(orgs.c.org == org)).one_or_none()
    if row is None:
        return _State(org)
    mark = Mark(row.verified_length, row.verified_head)
    return _State(org, row.chain_length, row.chain_head, row.call_count, mark, row.fully_verified_at)


def _walk(connection: Connection, walk: "_Walk") -> Verification:
    _follow_to_the_head(connection, walk)
    # What was erased while the chain was walked is accounted for by entries that came since.
    while walk.result.intact and walk.unexplained:
        newer = _state(connection, walk.state.org)
        if newer.length <= walk.state.length:
            break
        walk.state = newer
        _follow_to_the_head(connection, walk)
    if walk.result.intact and (wrong := _wrong_at_the_end(connection, walk)) is not None:
        return walk.broken(*wrong)
    return walk.result


def _follow_to_the_head(connection: Connection, walk: "_Walk") -> None:
    state = walk.state
    while walk.result.intact and walk.result.total_records < state.length:
        page = {"org": state.org, "start": walk.result.total_records, "length": state.length, "page": PAGE}
        rows = NEXT_PAGE[connection.dialect.name].rows(connection, page)
        if rows:
            walk.follow(rows)
        else:
            walk.broken(walk.result.total_records, "tail cut off")


def _wrong_at_the_end(connection: Connection, walk: "_Walk") -> tuple[int, str] | None:
    """Return the index and what is wrong there, of a chain whose entries hold."""
    state = walk.state
    if state.length < state.mark.length:
        return state.length, "shorter than when it was verified"
    if walk.result.head_hash != state.head:
        return max(state.length - 1, 0), "differs from the head"
    stray = connection.scalar(FIRST_STRAY, {"org": state.org})
    if stray is not None:
        return stray, "not counted by the head"
    if walk.unexplained:
        return min(walk.unexplained)[0], "erased, and no later entry says so"
    return None if walk.met_expected else (state.length, "expected head not in the chain")


def _record_of(kept: str | bytes) -> bytes | None:
    """Return a record's canonical text in UTF-8; None where what is kept stands for none."""
    try:
        if isinstance(kept, str):
            return kept.encode()
        return kept if kept.startswith(b"{") else unpack_bytes(kept)  # not packed
    except ValueError:
        return None


def _wrong_link(last_hash: str, prev_hash: str, record_hash: str, record: bytes | None) -> str | None:
    """Return what is wrong with an entry that follows the one of `last_hash`, or None."""
    if prev_hash != last_hash:
        return "out of order"
    if record is None:
        return "edited"
    is_whole = hash_of_bytes(prev_hash, record) == record_hash
    return None if is_whole or record == TOMBSTONE_BYTES else "edited"


class _Walk:
    """How far a chain was followed, and what was found."""

    def __init__(self, state: _State, expect_head: str | None, expect_index: int | None = None) -> None:
        self.state = state
        self.result = Verification(
            state.org, intact=True, total_records=0, head_hash=GENESIS_HASH, calls=state.calls,
            fully_verified_at=state.fully_verified_at,
        )  # fmt: skip
        self.met_expected = expect_head in (None, GENESIS_HASH)
        self.unexplained: set[tuple[int, str]] = set()
        """Tombstones met, index and hash, that no later entry has accounted for yet."""
        self._expect_head, self._expect_index = expect_head, expect_index
        self._mark = state.mark

    def begin_at(self, index: int, prev_hash: str) -> None:
        """Take the entries before `index` as they are."""
        self.result = replace(self.result, total_records=index, head_hash=prev_hash, checked_from=index)

    def follow(self, rows: Any) -> None:
        """Check `rows` (idx, prev_hash, record_hash, record) as the next entries of the chain."""
        last_hash, expected, erased = self.result.head_hash, self.result.total_records, 0
        reason = None
        for index, prev_hash, record_hash, kept in rows:
            record = _record_of(kept)
            reason = (
                "missing" if index != expected else _wrong_link(last_hash, prev_hash, record_hash, record)
            )
            if reason is None and index == self._mark.length - 1 and record_hash != self._mark.head:
                reason = "differs from when it was verified"
            if reason is not None or record is None:
                break
            last_hash = record_hash
            expected += 1
            if record == TOMBSTONE_BYTES:
                self.unexplained.add((index, record_hash))
                erased += 1
            elif self.unexplained:
                self.unexplained -= erased_by(record)
            if record_hash == self._expect_head and self._expect_index in (None, index):
                self.met_expected = True
        self.result = replace(
            self.result, total_records=expected, head_hash=last_hash, erased=self.result.erased + erased
        )
        if reason is not None:
            self.broken(expected, reason)

    def broken(self, index: int, reason: str) -> Verification:
        """Note the first index that does not hold."""
        self.result = replace(self.result, intact=False, first_broken_index=index, reason=reason)
        return self.result
