"""A database by its URL, and the two ways to use it: `transact` and `query`."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError, StatementError

from .changes import Announce, Changes
from .errors import StoreError
from .sqlite_driver import MEMORY, SqliteDriver, Synchronous
from .sqlite_pages import give_back
from .sqlite_thread import Asked

T = TypeVar("T")
R = TypeVar("R")

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


class Driver(Protocol):
    """What each kind of database does in its own way; see `Database`."""

    @property
    def waiting(self) -> int:
        """How many callers wait for a transaction or a query."""
        ...

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction."""
        ...

    async def transact_later(self, work: Callable[[Connection], T]) -> Asked[T]:
        """Have `work` run in a transaction before all that are asked for from now on."""
        ...

    async def catch_up(self) -> None:
        """Wait until what `transact_later` was given is committed, or failed."""
        ...

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""
        ...

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        ...


class Database:
    """Runs plain functions of a SQLAlchemy connection, and names the database's errors.

    On SQLite the function runs on another thread, so it returns what it read (`all`, `one`, `scalar`), not a
    result that still has rows to fetch. It may run to its end although its caller was cancelled.
    """

    def __init__(self, url: str, driver: Driver, watchers: list[Announce]) -> None:
        self.url = url
        """The URL with its password hidden."""
        self.watchers = watchers
        """Told what transactions of this process changed, see `changes`."""
        self.write_fault: str | None = None
        """Why the newest transaction could not be written, such as a full disk; None where it was."""
        self._driver = driver
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many callers wait for it."""
        return self._driver.waiting

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)` from one transaction: committed at the end, rolled back on any exception.

        Raises
        ------
        StoreError
            When the database refuses, or was closed.
        """
        try:
            result = await self._run("write", self._driver.transact, work)
        except StoreError as error:
            if isinstance(error.__cause__, OperationalError):  # not what the work itself did wrong
                self.write_fault = str(error)
            raise
        self.write_fault = None
        return result

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)`, which only reads. Each statement sees its own snapshot.

        Raises
        ------
        StoreError
            When the database refuses, or was closed.
        """
        return await self._run("read", self._driver.query, work)

    async def transact_later(self, work: Callable[[Connection], T]) -> Asked[T]:
        """Have `work` run in a transaction before every one that is asked for from now on; return what will come of it.

        On SQLite nothing is waited for: it shares the transaction of what is asked for next, or has one of its own
        within `HELD_S`. Whoever needs to know that it was committed looks at its `error` in a later transaction, or
        waits for its future; that raises the database's own errors.

        Raises
        ------
        StoreError
            When the database was closed.
        """
        return await self._run("write", self._driver.transact_later, work)

    async def query_settled(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)` as `query` does, once what `transact_later` was given is committed, or failed."""
        await self.catch_up()
        return await self.query(work)

    async def catch_up(self) -> None:
        """Wait until what `transact_later` was given is committed, or failed."""
        if not self._closed:
            await self._driver.catch_up()

    async def give_back(self) -> None:
        """Make a SQLite file as small as what is in it, a piece at a time; after much was deleted."""
        while await self.transact(give_back):
            continue

    async def close(self) -> None:
        """Wait for what runs on SQLite, then close every connection; closing twice is harmless."""
        self._closed = True
        await self._driver.close()

    async def _run(
        self,
        verb: str,
        run: Callable[[Callable[[Connection], T]], Awaitable[R]],
        work: Callable[[Connection], T],
    ) -> R:
        if self._closed:
            raise StoreError(f"expected an open database to {verb}, got {self.url} after it was closed")
        try:
            return await run(work)
        except SQLAlchemyError as error:
            raise StoreError(f"database {self.url} refused to {verb}: {explain(error)}") from error


def explain(error: SQLAlchemyError) -> str:
    """Return what the database said, without statement or parameters: those may hold a prompt."""
    return str(error.orig) if isinstance(error, StatementError) else str(error)


async def connect(url: str, *, synchronous: Synchronous = "NORMAL") -> Database:
    """Open a SQLite file, creating it and its folder when absent; a Postgres server is reached on first use.

    Raises
    ------
    StoreError
        When the URL names no database that is spoken here, or SQLite cannot open the file.
    """
    parsed = parse(url)
    watchers: list[Announce] = []

    def announce(changed: Changes) -> None:
        for watcher in watchers:
            watcher(changed)

    if parsed.drivername == "postgresql+psycopg":
        # psycopg and SQLAlchemy's asyncio part are loaded from disk only here: SQLite takes neither.
        driver = await asyncio.to_thread(_postgres, parsed, announce)
        return Database(repr(parsed), driver, watchers)
    path = parsed.database or MEMORY
    try:
        sqlite = await SqliteDriver.open(path, synchronous=synchronous, announce=announce)
    except OSError as error:
        raise StoreError(f"cannot make the folder of database {parsed!r}: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"cannot open database {parsed!r}: {error}") from error
    return Database(repr(parsed), sqlite, watchers)


def parse(url: str) -> URL:
    """Return the URL with its driver spelled out.

    Raises
    ------
    StoreError
        When it names no database that is spoken here.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"expected a database URL such as sqlite+aiosqlite:///x25.db, got {url!r}") from None
    if parsed.drivername not in DRIVERS:
        raise StoreError(f"expected a URL of {' or '.join(sorted(DRIVERS))}, got {parsed!r}")
    return parsed.set(drivername=DRIVERS[parsed.drivername])


def _postgres(url: URL, announce: Announce) -> Driver:
    from .postgres_driver import open_postgres  # noqa: PLC0415 - 7 MiB that SQLite has no use for

    return open_postgres(url, announce)
