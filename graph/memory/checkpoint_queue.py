"""Checkpoints on their way to storage: written in order, several in one go, after their calls were answered."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from .leftovers import Leftover
from .losses import CheckpointWrites

MOST_WAITING = 1_000
"""Checkpoints that may wait at once, about 20 MB; those of further calls are lost, and counted."""
MOST_AT_ONCE = 64
GATHERS_FOR_S = 0.1
"""How long a checkpoint waits for others to share its transaction; half a millisecond of work becomes a tenth."""

Write = Callable[[Sequence[Leftover]], Awaitable[None]]


class CheckpointQueue:
    """Writes what calls leave, in the order in which they ended; nobody waits for it but `drain`.

    Where text is not kept, of what a failed node wrote nothing is stored that may hold words.
    """

    def __init__(
        self, saver: BaseCheckpointSaver[Any] | None, writes: CheckpointWrites, *, keeps_text: bool = False
    ) -> None:
        self._keeps_text = keeps_text
        self._write = None if saver is None else _writer_for(saver)
        self._writes = writes
        self._waiting: deque[Leftover] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._is_hurried = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many are not written yet."""
        return len(self._waiting)

    def add(self, leftover: Leftover) -> None:
        """Take what a call leaves; it is written as soon as what came before is."""
        if self._write is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._writes.lost += 1
            return
        self._waiting.append(leftover if self._keeps_text else leftover.without_words())
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(self._write))

    async def drain(self) -> None:
        """Wait until everything that was taken is written, or lost."""
        while self._writer is not None:
            self._is_hurried.set()
            await asyncio.wait([self._writer])

    async def _write_all(self, write: Write) -> None:
        try:
            while self._waiting:
                await self._gather()
                some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
                await self._writes.attempt(lambda some=some: write(some), len(some))  # type: ignore[misc]
        finally:
            self._writer = None
            self._is_hurried.clear()

    async def _gather(self) -> None:
        """Let others come, unless there are many already or somebody waits for the end."""
        if len(self._waiting) < MOST_AT_ONCE and not self._is_hurried.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHERS_FOR_S):
                    await self._is_hurried.wait()


def _writer_for(saver: BaseCheckpointSaver[Any]) -> Write:
    """Return what writes several at once, in one transaction where the storage is SQLite."""
    if "sqlite" in type(saver).__module__:
        return _SqliteWriter(saver).write

    async def write(leftovers: Sequence[Leftover]) -> None:
        for leftover in leftovers:
            await leftover.aput(saver)

    return write


class _SqliteWriter:
    """Writes on the thread of an asynchronous saver's connection, with LangGraph's own synchronous saver."""

    def __init__(self, saver: Any) -> None:
        self._saver = saver

    async def write(self, leftovers: Sequence[Leftover]) -> None:
        await self._saver.setup()
        async with self._saver.lock:
            # aiosqlite has no public way to call a function on its thread, and logs what it calls: no words in it.
            await self._saver.conn._execute(lambda: self._write_now(leftovers))  # noqa: SLF001

    def _write_now(self, leftovers: Sequence[Leftover]) -> None:
        connection: sqlite3.Connection = self._saver.conn._conn  # noqa: SLF001
        saver = _uncommitted(connection, self._saver.serde)
        with connection:
            for leftover in leftovers:
                leftover.put(saver)


def _uncommitted(connection: sqlite3.Connection, serde: Any) -> Any:
    """Return LangGraph's saver over a connection that somebody else commits."""
    saver = _uncommitted_kind()(connection, serde=serde)
    saver.is_setup = True
    return saver


@cache
def _uncommitted_kind() -> Any:
    from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415 - only where SQLite is used

    class Uncommitted(SqliteSaver):
        @contextmanager
        def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:  # noqa: ARG002
            yield self.conn.cursor()

    return Uncommitted
