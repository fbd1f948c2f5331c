"""Answers kept to be given again, for every process that shares the database; by org, with a bound on their size."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, bindparam, delete, func, select, text

from .column_types import EPOCH, MICROSECOND
from .database import Database
from .hits import KeptAnswer
from .schema import cached_answers, calls
from .statements import Statement

VECTOR = np.dtype("<f2")
MOST_CANDIDATES = 1_000
"""Questions of one context, the newest, that a new one is compared with: half a megabyte of vectors."""
TRIMS_EVERY = 32
"""Answers one process keeps between two looks at the bounds: they may be passed by as many."""
_TRIMMED_TO = 0.9
_DROP = delete(cached_answers).where(
    cached_answers.c.org == bindparam("of_org"), cached_answers.c.key == bindparam("of_key")
)


@dataclass(frozen=True, slots=True)
class NearQuestion:
    """The question that an answer may be given again for in other words."""

    context: str
    """Digest of everything else of the request."""
    text: str
    vector: bytes
    """At unit length, `VECTOR` each, shape (dimension,)."""
    encoder: str
    """Fingerprint of what made it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer as it is kept."""

    org: str
    key: str
    call_id: str
    created_at: datetime
    expires_at: datetime
    answer: KeptAnswer
    size_bytes: int
    near: NearQuestion | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Questions of one context, newest first."""

    keys: list[str]
    texts: list[str]
    vectors: NDArray[np.float32]
    """Shape (n, dimension), at unit length."""


NO_CANDIDATES = Candidates([], [], np.zeros((0, 0), np.float32))


def candidates_of(rows: list[tuple[str, str, bytes]]) -> Candidates:
    """Return keys, texts and vectors of some rows; vectors of another length than the first are left out."""
    length = len(rows[0][2]) if rows else 0
    whole = [row for row in rows if len(row[2]) == length]
    if not whole:
        return NO_CANDIDATES
    matrix = np.frombuffer(b"".join(row[2] for row in whole), VECTOR).reshape(len(whole), -1)
    return Candidates([row[0] for row in whole], [row[1] for row in whole], matrix.astype(np.float32))


_MINE = cached_answers.c.org == bindparam("of_org")
_GET = Statement(
    select(*(cached_answers.c[name] for name in ("call_id", "created_at", "expires_at", "answer", "size_bytes")))
    .where(_MINE, cached_answers.c.key == bindparam("of_key"))
)  # fmt: skip
_NEAR = Statement(
    select(cached_answers.c.key, cached_answers.c.question, cached_answers.c.vector)
    .where(
        _MINE,
        cached_answers.c.context == bindparam("of_context"),
        cached_answers.c.encoder == bindparam("of_encoder"),
        cached_answers.c.created_at >= bindparam("since"),
    )
    .order_by(cached_answers.c.created_at.desc())
    .limit(MOST_CANDIDATES)
)
_LIVES = Statement(
    select(calls.c.call_id).where(
        calls.c.org == bindparam("of_org"), calls.c.call_id == bindparam("of_call_id")
    )
)
_COLUMNS = [column.name for column in cached_answers.columns]
_KEEP = Statement(
    text(
        f"INSERT INTO cached_answers ({', '.join(_COLUMNS)})"  # noqa: S608 - names of this file
        f" VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) ON CONFLICT (org, key) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
    ).bindparams(*(bindparam(column.name, type_=column.type) for column in cached_answers.columns))
)
_READ_ANSWER = cached_answers.c.answer.type


class CachedAnswers:
    """Keeps answers by org and key; nothing is read or deleted without its org."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = 0

    async def get(self, org: str, key: str) -> Entry | None:
        """Return the answer kept under a key."""

        def read(connection: Connection) -> Entry | None:
            row = _GET.row(connection, {"of_org": org, "of_key": key})
            if row is None:
                return None
            call_id, created, expires, answer, size_bytes = row
            facts: Mapping[str, Any] = _READ_ANSWER.process_result_value(answer, connection.dialect)  # type: ignore[attr-defined]
            made, until = EPOCH + created * MICROSECOND, EPOCH + expires * MICROSECOND
            return Entry(org, key, call_id, made, until, KeptAnswer(**facts), size_bytes)

        return await self._database.query(read)

    async def near(self, org: str, context: str, encoder: str, since: datetime) -> Candidates:
        """Return questions asked in a context since then, the newest `MOST_CANDIDATES`."""
        asked = {"of_org": org, "of_context": context, "of_encoder": encoder, "since": since}
        return await self._database.query(
            lambda connection: candidates_of([
                (key, question, bytes(vector)) for key, question, vector in _NEAR.rows(connection, asked)
            ])
        )  # fmt: skip

    async def keep(self, entry: Entry, *, most_org_bytes: int, most_bytes: int) -> None:
        """Keep an answer in the place of what its key had; now and then drop the oldest beyond the bounds.

        Parameters
        ----------
        most_org_bytes, most_bytes
            Bounds on the answers of its org, and of all orgs.
        """
        near = entry.near
        row = {
            "org": entry.org, "key": entry.key, "call_id": entry.call_id, "created_at": entry.created_at,
            "expires_at": entry.expires_at, "answer": asdict(entry.answer), "size_bytes": entry.size_bytes,
            "context": None if near is None else near.context, "question": None if near is None else near.text,
            "vector": None if near is None else near.vector, "encoder": None if near is None else near.encoder,
        }  # fmt: skip
        is_trimmed = self._kept % TRIMS_EVERY == 0
        self._kept += 1

        def write(connection: Connection) -> None:
            _KEEP.count(connection, row)
            if is_trimmed:
                _delete(connection, _free().where(cached_answers.c.expires_at < entry.created_at))
                _trim(connection, most_org_bytes, entry.org)
                _trim(connection, most_bytes, None)

        await self._database.transact(write)

    async def drop(self, org: str, call_id: str) -> int:
        """Delete the answer that a call bought; return how many went."""
        gone = delete(cached_answers).where(cached_answers.c.org == org, cached_answers.c.call_id == call_id)
        return await self._database.transact(lambda connection: connection.execute(gone).rowcount)

    async def drop_all(self, org: str) -> int:
        """Delete every answer of an org; return how many went."""
        gone = delete(cached_answers).where(cached_answers.c.org == org)
        return await self._database.transact(lambda connection: connection.execute(gone).rowcount)

    async def drop_expired(self, now: datetime) -> int:
        """Delete what is too old to be given again; return how many went."""
        expired = _free().where(cached_answers.c.expires_at < now)
        return await self._database.transact(lambda connection: _delete(connection, expired))

    async def size(self, org: str | None) -> tuple[int, int]:
        """Return how many answers are kept of an org, or of all for None, and the bytes that they take."""
        table = cached_answers.c
        query = select(func.count(), func.coalesce(func.sum(table.size_bytes), 0))
        query = query.where(*(() if org is None else (table.org == org,)))
        count, size_bytes = await self._database.query(lambda connection: connection.execute(query).one())
        return int(count), int(size_bytes)

    async def is_logged(self, org: str, call_id: str) -> bool:
        """Return whether the org's log has a call: what was made of an erased one is given to nobody."""
        asked = {"of_org": org, "of_call_id": call_id}
        return await self._database.query(lambda connection: _LIVES.row(connection, asked) is not None)


def _trim(connection: Connection, most_bytes: int, org: str | None) -> None:
    """Delete the oldest answers of an org, or of all, where they pass a bound, so that a tenth of it is free."""
    ours = [] if org is None else [cached_answers.c.org == org]
    total = connection.scalar(select(func.sum(cached_answers.c.size_bytes)).where(*ours)) or 0
    if total <= most_bytes:
        return
    excess = int(total) - int(most_bytes * _TRIMMED_TO)
    _delete(connection, _free().where(*ours).order_by(cached_answers.c.created_at), excess)


def _free() -> Select[Any]:
    """Return what selects answers to delete, and their bytes: on Postgres those that no other transaction is at.

    Whoever deletes many and waits for nobody is in no deadlock; what is passed over is old the next time, too.
    """
    table = cached_answers.c
    return select(table.org, table.key, table.size_bytes).with_for_update(skip_locked=True)


def _delete(connection: Connection, chosen: Select[Any], least_bytes: float = inf) -> int:
    """Delete the chosen answers, the first ones until they come to `least_bytes`; return how many went."""
    doomed = []
    for row in connection.execute(chosen):
        if least_bytes <= 0:
            break
        doomed.append({"of_org": row.org, "of_key": row.key})
        least_bytes -= row.size_bytes
    if doomed:
        connection.execute(_DROP, doomed)
    return len(doomed)
