"""SQLite connections whose transactions run whole on a thread of their own: one thread hop for each.

A thread serves its queue in order, one transaction at a time. Writers therefore stand in one line, and a caller
that was cancelled leaves no transaction open: what it asked for runs to its end without it.
"""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import aiosqlite
from sqlalchemy import Connection, NullPool, create_engine

T = TypeVar("T")
Synchronous = Literal["NORMAL", "FULL"]
"""NORMAL survives a crash of the process, FULL also a loss of power (one more fsync per commit)."""

BUSY_TIMEOUT_S = 30.0
RETRY_S = 0.01
MEMORY = ":memory:"
READERS = 2
"""More gain nothing beside the interpreter lock; the second reads while a long walk keeps the first."""


def _open_file(path: str, synchronous: Synchronous) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level="IMMEDIATE", check_same_thread=False
    )
    try:
        _log_ahead(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for other connections when it changes the journal, so this does.
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(RETRY_S)
        else:
            return


def make_private(path: Path) -> None:
    """Create a file and its folder, where they are absent, for nobody but their owner to read.

    SQLite gives the files beside a database the modes of the database.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    # Closing a file gives up every lock that this process holds on it, those of SQLite too: so it is made, and closed,
    # under a name that nobody else has.
    descriptor, made = tempfile.mkstemp(dir=path.parent)
    os.close(descriptor)
    try:
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        Path(made).unlink()


def _connect(path: str, synchronous: Synchronous) -> tuple[sqlite3.Connection, Connection]:
    if path != MEMORY:
        make_private(Path(path))
    raw = _open_file(path, synchronous)
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=NullPool, hide_parameters=True)
    return raw, engine.connect()


class SqliteConnection:
    """A SQLAlchemy connection and the aiosqlite thread it is used on."""

    def __init__(self, connection: Connection, thread: aiosqlite.Connection) -> None:
        self._connection = connection
        self._thread = thread
        self.awaited = 0
        """How many callers wait for a result."""

    @classmethod
    async def open(cls, path: str, *, synchronous: Synchronous = "NORMAL") -> Self:
        """Open a file, creating it and its folder when absent, or `MEMORY`.

        Raises
        ------
        OSError
            When the folder cannot be made.
        sqlite3.Error
            When SQLite refuses the file.
        """
        # Opened before the thread starts: aiosqlite does not wait for the thread of a connection that failed.
        raw, connection = await asyncio.to_thread(_connect, path, synchronous)
        thread = aiosqlite.Connection(lambda: raw, iter_chunk_size=64)
        # A store that was never closed must not keep the interpreter alive.
        thread._thread.daemon = True  # noqa: SLF001
        return cls(connection, await thread)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)`, called on the thread: committed at its end, rolled back on any exception.

        The write lock is taken at the first INSERT, UPDATE or DELETE (BEGIN IMMEDIATE), so a writer of another
        process waits up to `BUSY_TIMEOUT_S` and never fails half-way. Reading alone opens no transaction.
        """
        self.awaited += 1
        try:
            return await self._hop(self._transact, work)
        finally:
            self.awaited -= 1

    async def close(self) -> None:
        """Wait for everything that was asked for, close the connection and end the thread."""
        try:
            await self._hop(self._connection.close)
        finally:
            await self._thread.close()

    async def _hop(self, function: Callable[..., T], *args: Any) -> T:
        # aiosqlite has no public way to call a function on its thread.
        return await self._thread._execute(function, *args)  # type: ignore[no-untyped-call, no-any-return]  # noqa: SLF001

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with self._connection.begin():
            return work(self._connection)


class SqliteDriver:
    """One connection that writes and some that read, or for a database in memory one that does both."""

    def __init__(
        self, writer: SqliteConnection, readers: list[SqliteConnection], stack: AsyncExitStack
    ) -> None:
        self._writer = writer
        self._readers = readers or [writer]
        self._stack = stack

    @classmethod
    async def open(cls, path: str, *, synchronous: Synchronous = "NORMAL") -> Self:
        """Open every connection; raises like `SqliteConnection.open` and leaves none open then."""
        async with AsyncExitStack() as stack:
            connections = []
            for _ in range(1 if path == MEMORY else 1 + READERS):
                connections.append(await SqliteConnection.open(path, synchronous=synchronous))
                stack.push_async_callback(connections[-1].close)
            writer, *readers = connections
            return cls(writer, readers, stack.pop_all())

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the connection that writes, after the transactions asked for before."""
        return await self._writer.run(work)

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the reading connection with the shortest queue."""
        return await min(self._readers, key=lambda reader: reader.awaited).run(work)

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        await self._stack.aclose()
