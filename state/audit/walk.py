"""The walk along an audit chain, from its beginning or from where it was found whole earlier."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select, text

from ..records import Verification
from ..schema import audit, orgs

GENESIS_HASH = "0" * 64
"""What the first entry links to."""
PAGE = 5_000
"""Entries held in memory at a time while a chain is walked."""

NEXT_PAGE = text(
    "SELECT idx, prev_hash, record_hash, record FROM audit"
    " WHERE org = :org AND idx >= :start AND idx < :length ORDER BY idx LIMIT :page"
)
# Asked in one statement, so that an entry appended meanwhile is never seen without its head.
FIRST_STRAY = text(
    "SELECT MIN(idx) FROM (SELECT MIN(idx) AS idx FROM audit WHERE org = :org AND idx < 0"
    " UNION ALL SELECT MIN(idx) FROM audit WHERE org = :org AND idx >="
    " COALESCE((SELECT chain_length FROM orgs WHERE orgs.org = :org), 0)) AS strays"
)


def chain_hash(prev_hash: str, canonical: str) -> str:
    """Return SHA-256 of `prev_hash` followed by the canonical record, UTF-8, as 64 hex digits."""
    return sha256(f"{prev_hash}{canonical}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a chain was found whole earlier."""

    length: int = 0
    head: str = GENESIS_HASH


def walk_whole(connection: Connection, org: str, expect_head: str | None = None) -> Verification:
    """Return what is found from the first entry to the head."""
    return _walk(connection, _Walk(_state(connection, org), expect_head))


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
    state = walk.state
    while walk.result.intact and walk.result.total_records < state.length:
        page = {"org": state.org, "start": walk.result.total_records, "length": state.length, "page": PAGE}
        rows = connection.execute(NEXT_PAGE, page).all()
        if not rows:
            return walk.broken(walk.result.total_records, "tail cut off")
        walk.follow(rows)
    if walk.result.intact and (wrong := _wrong_at_the_end(connection, walk)) is not None:
        return walk.broken(*wrong)
    return walk.result


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
    return None if walk.met_expected else (state.length, "expected head not in the chain")


class _Walk:
    """How far a chain was followed, and what was found."""

    def __init__(self, state: _State, expect_head: str | None) -> None:
        self.state = state
        self.result = Verification(
            state.org, intact=True, total_records=0, head_hash=GENESIS_HASH, calls=state.calls,
            fully_verified_at=state.fully_verified_at,
        )  # fmt: skip
        self.met_expected = expect_head in (None, GENESIS_HASH)
        self._expect_head = expect_head
        self._mark = state.mark

    def begin_at(self, index: int, prev_hash: str) -> None:
        """Take the entries before `index` as they are."""
        self.result = replace(self.result, total_records=index, head_hash=prev_hash, checked_from=index)

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
            elif index == self._mark.length - 1 and record_hash != self._mark.head:
                reason = "differs from when it was verified"
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
