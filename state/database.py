"""Connections: where the engines of a database URL are made, and the two ways to use them."""

import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .errors import StoreError
from .sqlite_driver import Synchronous, connector

POOL_TIMEOUT_S = 120.0
"""Longest wait for a connection. SQLite's writers queue here, so it outlasts a burst of them."""
READERS = 4
POSTGRES_CONNECTIONS = 10
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def explain(error: SQLAlchemyError) -> str:
    """Return what the database said, without statement or parameters: those may hold a prompt."""
    return str(error.orig) if isinstance(error, StatementError) else str(error)


class Database:
    """Two engines on one database. SQLite has one writer at a time: its writers queue for one connection."""

    def __init__(
        self, url: str, *, writer: AsyncEngine, reader: AsyncEngine, anchor: sqlite3.Connection | None = None
    ) -> None:
        self.url = url
        """The URL with its password hidden."""
        self._writer = writer
        self._reader = reader
        self._anchor = anchor

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for reading. Each statement sees its own snapshot.

        Raises
        ------
        StoreError
            When the database refuses.
        """
        try:
            async with self._reader.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"database {self.url} refused to read: {explain(error)}") from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection inside a transaction: committed at the end, rolled back on any exception.

        Do not open another `write` or `read` inside: on SQLite it would wait for this one.

        Raises
        ------
        StoreError
            When the database refuses.
        """
        try:
            async with self._writer.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"database {self.url} refused to write: {explain(error)}") from error

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        await self._reader.dispose()
        await self._writer.dispose()
        if self._anchor is not None:
            self._anchor.close()


def connect(url: str, *, synchronous: Synchronous = "NORMAL") -> Database:
    """Make the engines for a URL; a SQLite file's folder is created, connections open on first use.

    Raises
    ------
    StoreError
        When the URL names no database that is spoken here, or the folder cannot be made.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"expected a database URL such as sqlite+aiosqlite:///x25.db, got {url!r}") from None
    if parsed.drivername not in DRIVERS:
        raise StoreError(f"expected a URL of {' or '.join(sorted(DRIVERS))}, got {parsed!r}")
    parsed = parsed.set(drivername=DRIVERS[parsed.drivername])
    if parsed.drivername == "postgresql+psycopg":
        return _postgres(parsed)
    if parsed.database in (None, "", ":memory:"):
        return _sqlite_memory(parsed)
    return _sqlite_file(parsed, synchronous)


def _postgres(url: URL) -> Database:
    engine = create_async_engine(
        url,
        pool_size=POSTGRES_CONNECTIONS,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return Database(repr(url), writer=engine, reader=engine.execution_options(isolation_level="AUTOCOMMIT"))


def _sqlite_engine(url: URL, connections: int, creator: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        async_creator=creator,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_reset_on_return=None,  # a connection is returned only after its transaction ended
        hide_parameters=True,
    )


def _sqlite_file(url: URL, synchronous: Synchronous) -> Database:
    path = Path(url.database or "").absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder of database {url!r}: {error}") from error
    creator = connector(str(path), synchronous=synchronous)
    return Database(
        repr(url), writer=_sqlite_engine(url, 1, creator), reader=_sqlite_engine(url, READERS, creator)
    )


def _sqlite_memory(url: URL) -> Database:
    # The pool drops a connection whose task was cancelled; the anchor keeps the data alive meanwhile.
    name = f"file:x25-{secrets.token_hex(8)}?mode=memory&cache=shared"
    anchor = sqlite3.connect(name, uri=True, check_same_thread=False)
    engine = _sqlite_engine(url, 1, connector(name, uri=True))
    return Database(repr(url), writer=engine, reader=engine, anchor=anchor)
