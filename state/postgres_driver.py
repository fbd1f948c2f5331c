"""Postgres: a pool of connections, whose transactions a plain function runs in."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .changes import Announce, Changes, taken_changes
from .sqlite_thread import Asked

T = TypeVar("T")

POOL_TIMEOUT_S = 120.0
"""Longest wait for a connection; it outlasts a burst of callers."""
CONNECTIONS = 10


class PostgresDriver:
    """A pool of connections; SQLAlchemy lets `work` await the network from inside its plain calls."""

    def __init__(self, engine: AsyncEngine, announce: Announce | None = None) -> None:
        self._engine = engine
        self._announce = announce
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def waiting(self) -> int:
        """How many connections are in use or waited for."""
        used = getattr(self._engine.pool, "checkedout", None)
        return int(used()) if used is not None else 0

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of one connection."""
        changed: Changes = {}
        is_committed = False

        def noting(connection: Connection) -> T:
            nonlocal changed
            try:
                return work(connection)
            finally:
                changed = taken_changes(connection)

        try:
            async with self._engine.begin() as connection:
                result = await connection.run_sync(noting)
            is_committed = True
            return result
        finally:
            if not is_committed:
                changed = dict.fromkeys(changed)
            if changed and self._announce is not None:
                self._announce(changed)

    async def transact_later(self, work: Callable[[Connection], T]) -> Asked[T]:
        """Run `work` in a transaction and wait for it: nothing else keeps the order of several connections."""
        asked = Asked(work, asyncio.get_running_loop())
        try:
            asked.result = await self.transact(work)
        except Exception as error:  # noqa: BLE001 - whoever asks for the outcome is told
            asked.error = error
        asked.tell()
        return asked

    async def catch_up(self) -> None:
        """Wait for nothing: `transact_later` has waited."""

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one connection, each statement for itself."""
        async with self._reader.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        await self._engine.dispose()


def open_postgres(url: URL, announce: Announce) -> PostgresDriver:
    """Return a driver whose connections are made when they are first needed."""
    engine = create_async_engine(
        url,
        pool_size=CONNECTIONS,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return PostgresDriver(engine, announce)
