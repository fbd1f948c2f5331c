"""A database by its URL, and the two ways to use it: `transact` and `query`."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .errors import StoreError
from .sqlite_driver import MEMORY, SqliteDriver, Synchronous

T = TypeVar("T")

POOL_TIMEOUT_S = 120.0
"""Longest wait for a Postgres connection; it outlasts a burst of callers."""
POSTGRES_CONNECTIONS = 10
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


class Driver(Protocol):
    """What each kind of database does in its own way; see `Database`."""

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction."""
        ...

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""
        ...

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        ...


class PostgresDriver:
    """A pool of connections; SQLAlchemy lets `work` await the network from inside its plain calls."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of one connection."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one connection, each statement for itself."""
        async with self._reader.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        await self._engine.dispose()


class Database:
    """Runs plain functions of a SQLAlchemy connection, and names the database's errors.

    On SQLite the function runs on another thread, so it returns what it read (`all`, `one`, `scalar`), not a
    result that still has rows to fetch. It may run to its end although its caller was cancelled.
    """

    def __init__(self, url: str, driver: Driver) -> None:
        self.url = url
        """The URL with its password hidden."""
        self._driver = driver
        self._closed = False

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)` from one transaction: committed at the end, rolled back on any exception.

        Raises
        ------
        StoreError
            When the database refuses, or was closed.
        """
        return await self._run("write", self._driver.transact, work)

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Return `work(connection)`, which only reads. Each statement sees its own snapshot.

        Raises
        ------
        StoreError
            When the database refuses, or was closed.
        """
        return await self._run("read", self._driver.query, work)

    async def close(self) -> None:
        """Wait for what runs on SQLite, then close every connection; closing twice is harmless."""
        self._closed = True
        await self._driver.close()

    async def _run(
        self,
        verb: str,
        run: Callable[[Callable[[Connection], T]], Awaitable[T]],
        work: Callable[[Connection], T],
    ) -> T:
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
    if parsed.drivername == "postgresql+psycopg":
        return Database(repr(parsed), await asyncio.to_thread(_postgres, parsed))  # loads psycopg from disk
    path = parsed.database or MEMORY
    try:
        driver = await SqliteDriver.open(path, synchronous=synchronous)
    except OSError as error:
        raise StoreError(f"cannot make the folder of database {parsed!r}: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"cannot open database {parsed!r}: {error}") from error
    return Database(repr(parsed), driver)


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


def _postgres(url: URL) -> PostgresDriver:
    engine = create_async_engine(
        url,
        pool_size=POSTGRES_CONNECTIONS,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return PostgresDriver(engine)
