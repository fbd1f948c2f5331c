"""SQLite connections whose transactions run whole on a thread of their own: one thread hop for each, or for several.

A thread serves its queue in order. Writers therefore stand in one line, those that wait share a transaction, and a
caller that was cancelled leaves none open: what it asked for runs to its end without it.
"""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, cast

from sqlalchemy import Connection, NullPool, create_engine, text

from .changes import Announce, doubt_changes, taken_changes
from .sqlite_thread import MOST_AT_ONCE, Asked, ServingThread
from .statements import Statement

T = TypeVar("T")
Synchronous = Literal["NORMAL", "FULL"]
"""NORMAL survives a crash of the process, FULL also a loss of power (one more fsync per commit)."""

BUSY_TIMEOUT_S = 30.0
RETRY_S = 0.01
MEMORY = ":memory:"
BEGIN = Statement(text("BEGIN IMMEDIATE"))
SAVEPOINT = Statement(text("SAVEPOINT one_of_group"))
ROLLBACK = Statement(text("ROLLBACK TO one_of_group"))
RELEASE = Statement(text("RELEASE one_of_group"))
READERS = 2
"""More gain nothing beside the interpreter lock; the second reads while a long walk keeps the first."""


def _open_file(path: str, synchronous: Synchronous) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level="IMMEDIATE", check_same_thread=False
    )
    try:
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            # Before anything is written to the file: then what is deleted can leave it later, see `give_back`.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
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
    make_private_with(path, b"")


def make_private_with(path: Path, content: bytes) -> None:
    """Create a file with its whole content as `make_private` does; of several that do so at once the first counts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    # Closing a file gives up every lock that this process holds on it, those of SQLite too: so it is made, and closed,
    # under a name that nobody else has.
    descriptor, made = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        Path(made).unlink()


def _connect(path: str, synchronous: Synchronous) -> Connection:
    if path != MEMORY:
        make_private(Path(path))
    raw = _open_file(path, synchronous)
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=NullPool, hide_parameters=True)
    return engine.connect()


class SqliteConnection:
    """A SQLAlchemy connection and the thread it is used on.

    Parameters
    ----------
    groups
        Whether works that wait share a transaction, see `run`.
    announce
        Told what transactions changed, once they are committed and before their callers are told.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        groups: bool = True,
        announce: Announce | None = None,
        name: str = "sqlite",
    ) -> None:
        self._connection = connection
        self._raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        self._announce = announce
        self._thread = ServingThread(
            self._serve, name, MOST_AT_ONCE if groups else 1, at_end=connection.close
        )
        self.awaited = 0
        """How many callers wait for a result."""

    @classmethod
    async def open(
        cls,
        path: str,
        *,
        synchronous: Synchronous = "NORMAL",
        groups: bool = True,
        announce: Announce | None = None,
    ) -> Self:
        """Open a file, creating it and its folder when absent, or `MEMORY`.

        Raises
        ------
        OSError
            When the folder cannot be made.
        sqlite3.Error
            When SQLite refuses the file.
        """
        connection = await asyncio.to_thread(_connect, path, synchronous)
        return cls(connection, groups=groups, announce=announce, name=f"sqlite {path}")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)`, called on the thread: committed when this returns, undone on any exception.

        Works that wait while another one runs share the next transaction, each in a savepoint: one that raises is
        undone alone. A work that is alone takes the write lock at its first INSERT, UPDATE or DELETE, a group at once
        (BEGIN IMMEDIATE), so a writer of another process waits up to `BUSY_TIMEOUT_S` and never fails half-way.
        Reading alone opens no transaction.
        """
        self.awaited += 1
        try:
            return await self._thread.ask(work)
        finally:
            self.awaited -= 1

    def hold(self, work: Callable[[Connection], T]) -> Asked[T]:
        """Run a work as `run` does, in the transaction of the next one if that comes soon."""
        return self._thread.hold(work)

    async def catch_up(self) -> None:
        """Wait until what was held is committed, or failed."""
        await self._thread.catch_up()

    async def close(self) -> None:
        """Wait for everything that was asked for, end the thread and close the connection."""
        await self._thread.end()

    def _serve(self, together: Sequence[Asked[Any]]) -> None:
        is_committed = False
        try:
            with self._connection.begin():
                if len(together) == 1:
                    (alone,) = together
                    alone.result = alone.work(self._connection)
                else:
                    BEGIN.count(self._connection, {})
                    for asked in together:
                        self._in_savepoint(asked)
            is_committed = True
        finally:
            if self._raw.in_transaction:  # a COMMIT that failed leaves it open
                self._raw.rollback()
            if not is_committed:
                doubt_changes(self._connection)
            if self._announce is not None and (changed := taken_changes(self._connection)):
                self._announce(changed)

    def _in_savepoint(self, asked: Asked[Any]) -> None:
        SAVEPOINT.count(self._connection, {})
        try:
            asked.result = asked.work(self._connection)
        except BaseException as error:
            asked.error = error
            doubt_changes(self._connection)
            if (
                not self._raw.in_transaction
            ):  # of a full disk, say, SQLite undoes the whole transaction by itself
                raise
            ROLLBACK.count(self._connection, {})
        RELEASE.count(self._connection, {})


class SqliteDriver:
    """One connection that writes and some that read, or for a database in memory one that does both."""

    def __init__(
        self, writer: SqliteConnection, readers: list[SqliteConnection], stack: AsyncExitStack
    ) -> None:
        self._writer = writer
        self._readers = readers or [writer]
        self._stack = stack

    @property
    def waiting(self) -> int:
        """How many callers wait for a transaction or a query."""
        return self._writer.awaited + sum(one.awaited for one in self._readers if one is not self._writer)

    @classmethod
    async def open(
        cls, path: str, *, synchronous: Synchronous = "NORMAL", announce: Announce | None = None
    ) -> Self:
        """Open every connection; raises like `SqliteConnection.open` and leaves none open then."""
        async with AsyncExitStack() as stack:
            connections = []
            for number in range(1 if path == MEMORY else 1 + READERS):
                connections.append(
                    await SqliteConnection.open(
                        path,
                        synchronous=synchronous,
                        groups=number == 0,  # a group takes the write lock
                        announce=announce if number == 0 else None,
                    )
                )
                stack.push_async_callback(connections[-1].close)
            writer, *readers = connections
            return cls(writer, readers, stack.pop_all())

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the connection that writes, after the transactions asked for before."""
        return await self._writer.run(work)

    async def transact_later(self, work: Callable[[Connection], T]) -> Asked[T]:
        """Run `work` as `transact` does, in order, with the next transaction asked for or soon; wait for nothing."""
        return self._writer.hold(work)

    async def catch_up(self) -> None:
        """Wait until what `transact_later` was given is committed, or failed."""
        await self._writer.catch_up()

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the reading connection with the shortest queue."""
        return await min(self._readers, key=lambda reader: reader.awaited).run(work)

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        await self._stack.aclose()
