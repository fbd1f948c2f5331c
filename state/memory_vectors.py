"""The vectors of what is remembered, kept in memory for the scopes that asked last: reading them takes the most time.

Only vectors are kept. The words are read anew for every question, so that what was deleted is never told.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, func, select

from .schema import memories
from .statements import Statement

MOST_KEPT = 5_000
"""Passages of one scope that are kept: the oldest go first."""
MOST_SCOPES = 16
"""Scopes kept in memory, 2.5 MB each where they are full."""
VECTOR = np.dtype("<f2")

_MINE = (memories.c.org == bindparam("of_org")) & (memories.c.scope == bindparam("of_scope"))
_STATE = Statement(select(func.count(), func.max(memories.c.created_at)).select_from(memories).where(_MINE))
_READ = Statement(
    select(memories.c.memory_id, memories.c.created_at, memories.c.vector)
    .where(_MINE, memories.c.encoder == bindparam("of_encoder"), memories.c.vector.is_not(None))
    .order_by(memories.c.created_at.desc())
    .limit(MOST_KEPT)
)


@dataclass(frozen=True, slots=True)
class KeptVectors:
    """The vectors of one scope, newest first."""

    state: tuple[object, ...]
    """How many passages there were, and when the newest was said."""
    ids: list[str]
    times: NDArray[np.int64]
    """When each was said, microseconds since 1970, shape (n,)."""
    matrix: NDArray[np.float16]
    """Shape (n, dimension)."""


class ScopeVectors:
    """Vectors by org, scope and encoder; read anew once a passage came or went. Used on several threads."""

    def __init__(self, most_scopes: int = MOST_SCOPES) -> None:
        self._kept: OrderedDict[tuple[str, str, str], KeptVectors] = OrderedDict()
        self._most_scopes = most_scopes
        self._lock = Lock()

    def of(self, connection: Connection, org: str, scope: str, encoder: str) -> KeptVectors:
        """Return the vectors of a scope as they are now."""
        name, mine = (org, scope, encoder), {"of_org": org, "of_scope": scope}
        state = tuple(_STATE.row(connection, mine) or ())
        with self._lock:
            known = self._kept.get(name)
            if known is not None and known.state == state:
                self._kept.move_to_end(name)
                return known
        read = _read(_READ.rows(connection, mine | {"of_encoder": encoder}), state)
        with self._lock:
            self._kept[name] = read
            self._kept.move_to_end(name)
            while len(self._kept) > self._most_scopes:
                self._kept.popitem(last=False)
        return read

    def forget(self, org: str) -> None:
        """Drop the vectors of an org."""
        with self._lock:
            for name in [one for one in self._kept if one[0] == org]:
                del self._kept[name]


def _read(rows: list[tuple[Any, ...]], state: tuple[object, ...]) -> KeptVectors:
    """Return what was read; vectors of another length than the newest are left out."""
    length = len(rows[0][2]) if rows else 0
    whole = [row for row in rows if len(row[2]) == length]
    joined = b"".join(row[2] for row in whole)
    return KeptVectors(
        state,
        ids=[row[0] for row in whole],
        times=np.array([row[1] for row in whole], dtype=np.int64),
        matrix=np.frombuffer(joined, VECTOR).reshape(len(whole), length // VECTOR.itemsize),
    )
