"""SQLite connections for SQLAlchemy's async engine with one thread hop per statement.

The stock adapter makes four hops for each statement: cursor, execute, fetchall, close. Here a cursor executes
and fetches in a single hop, and a commit or rollback with nothing to end makes none.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Self

import aiosqlite

Synchronous = Literal["NORMAL", "FULL"]
"""NORMAL survives a crash of the process, FULL also a loss of power (one more fsync per commit)."""

BUSY_TIMEOUT_S = 30.0


class BufferedCursor:
    """A cursor that holds every row of its last statement; the part of the interface SQLAlchemy calls."""

    def __init__(self, connection: "BufferedConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement and keep its rows."""
        await self._connection.run(self._execute, sqlite3.Cursor.execute, sql, parameters)

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement once for each row of `parameters`."""
        await self._connection.run(self._execute, sqlite3.Cursor.executemany, sql, parameters)

    async def fetchall(self) -> list[Any]:
        """Hand over the rows; a second call returns none."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Do nothing: the SQLite cursor was closed when its rows were fetched."""

    def _execute(
        self, connection: sqlite3.Connection, method: Callable[..., Any], sql: str, parameters: Sequence[Any]
    ) -> None:
        cursor = connection.cursor()
        try:
            method(cursor, sql, parameters)
            self.description = cursor.description
            # A row count is complete only after the rows of RETURNING are read.
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount = cursor.rowcount
            self.lastrowid = cursor.lastrowid
        finally:
            cursor.close()


class BufferedConnection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors are `BufferedCursor`."""

    def cursor(self) -> BufferedCursor:  # type: ignore[override]
        """Return a cursor; no hop."""
        return BufferedCursor(self)

    async def run(self, function: Callable[..., Any], *args: Any) -> None:
        """Call `function(sqlite3_connection, *args)` on the connection's thread."""
        await self._execute(function, self._conn, *args)  # type: ignore[no-untyped-call]

    async def commit(self) -> None:
        """Commit; no hop when nothing was written."""
        if self._conn.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back; no hop when nothing was written."""
        if self._conn.in_transaction:
            await super().rollback()


def connector(
    database: str, *, uri: bool = False, synchronous: Synchronous = "NORMAL"
) -> Callable[..., Awaitable[BufferedConnection]]:
    """Return an `async_creator` for `create_async_engine`.

    A transaction takes the write lock at its first INSERT, UPDATE or DELETE (BEGIN IMMEDIATE), so a second
    writer waits up to `BUSY_TIMEOUT_S` and never fails half-way with "database is locked". A read opens no
    transaction.

    Parameters
    ----------
    database
        Path of the file, or with `uri` a SQLite URI.
    uri
        Whether `database` is a URI.
    synchronous
        How far a commit reaches the disk.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            database, timeout=BUSY_TIMEOUT_S, isolation_level="IMMEDIATE", check_same_thread=False, uri=uri
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    async def create(*_args: Any, **_kwargs: Any) -> BufferedConnection:
        connection = BufferedConnection(connect, iter_chunk_size=64)
        # An engine that was never disposed of must not keep the interpreter alive.
        connection._thread.daemon = True  # noqa: SLF001
        return await connection  # type: ignore[return-value]

    return create
