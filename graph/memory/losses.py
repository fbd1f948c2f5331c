"""A checkpoint that cannot be written costs no call: it is lost, and said and counted."""

import asyncio
import copy
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from time import monotonic
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

from ...state.errors import StoreError

WAIT_S = 3.0
"""Longest that a call waits for a checkpoint to be written."""
REST_S = 10.0
"""How long none is tried after one could not be written; then one call finds out."""
WARN_EVERY_S = 60.0

IS_NEW_CALL: ContextVar[bool] = ContextVar("x25_is_new_call", default=False)
"""Whether the run under way begins a call: then there is nothing to read, and nothing that reading could cost."""

_log = logging.getLogger(__name__)


class CheckpointWrites:
    """Whether checkpoints can be written, and how many were; `undo` is what a failed write leaves to be done."""

    def __init__(
        self, undo: Callable[[], Awaitable[None]] | None = None, clock_s: Callable[[], float] = monotonic
    ) -> None:
        self.written = 0
        self.lost = 0
        self.reason: str | None = None
        """Why none can be written now; None while they can."""
        self._undo = undo
        self._clock_s = clock_s
        self._rests_until_s = 0.0
        self._warned_at_s: float | None = None

    async def attempt(self, write: Callable[[], Awaitable[object]], count: int = 1) -> None:
        """Write `count` checkpoints, or lose them: whatever the storage does, the calls go on."""
        now_s = self._clock_s()
        if self.reason is not None:
            if now_s < self._rests_until_s:
                self.lost += count
                return
            self._rests_until_s = now_s + WAIT_S  # nobody else waits while this call finds out
        try:
            async with asyncio.timeout(WAIT_S):
                await write()
        except Exception as error:  # noqa: BLE001 - no checkpoint is worth a paid answer
            await self._lose(error, count)
            return
        self.written += count
        if self.reason is not None:
            _log.warning("checkpoints are written again; %d were lost so far", self.lost)
            self.reason = None

    async def _lose(self, error: Exception, count: int) -> None:
        self.lost += count
        now_s = self._clock_s()
        if is_storage(error):
            if self.reason is None or not isinstance(
                error, TimeoutError
            ):  # which says less than what was met before
                self.reason = _said(error)
            self._rests_until_s = now_s + REST_S
            if self._undo is not None:
                # The next write must not find itself in this one's transaction.
                with suppress(sqlite3.Error, ValueError, TimeoutError):
                    async with asyncio.timeout(WAIT_S):
                        await self._undo()
        if self._warned_at_s is None or now_s - self._warned_at_s >= WARN_EVERY_S:
            self._warned_at_s = now_s
            _log.warning(
                "a checkpoint could not be written (%s); the calls go on, %d were lost",
                _said(error),
                self.lost,
            )


def sparing_saver(
    saver: BaseCheckpointSaver[Any], checkpoint_writes: CheckpointWrites
) -> BaseCheckpointSaver[Any]:
    """Return the same saver for a graph whose calls it never costs: it shares its rows, and loses what it must.

    Reading is another matter: a run that goes on from a checkpoint is refused where that cannot be read.
    """
    attempt = checkpoint_writes.attempt

    async def aput(
        config: RunnableConfig, checkpoint: Any, metadata: Any, new_versions: Any
    ) -> RunnableConfig:
        await attempt(lambda: saver.aput(config, checkpoint, metadata, new_versions))
        configurable = config["configurable"]
        return {
            "configurable": {
                "thread_id": configurable["thread_id"],
                "checkpoint_ns": configurable.get("checkpoint_ns", ""),
                "checkpoint_id": checkpoint["id"],
            }
        }

    async def aput_writes(
        config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await attempt(lambda: saver.aput_writes(config, writes, task_id, task_path))

    async def aget_tuple(config: RunnableConfig) -> CheckpointTuple | None:
        return None if IS_NEW_CALL.get() else await read_tuple(saver, config)

    sparing = copy.copy(saver)
    sparing.aput, sparing.aput_writes, sparing.aget_tuple = aput, aput_writes, aget_tuple  # type: ignore[method-assign]
    return sparing


async def read_tuple(saver: BaseCheckpointSaver[Any], config: RunnableConfig) -> CheckpointTuple | None:
    """Return the newest checkpoint of a thread, None without any.

    Raises
    ------
    StoreError
        When the storage does not let it be read: that is not the same as there being none.
    """
    try:
        return await saver.aget_tuple(config)
    except Exception as error:
        if not is_storage(error):
            raise
        raise StoreError(f"the checkpoints cannot be read: {_said(error)}") from error


def undo_of(saver: BaseCheckpointSaver[Any]) -> Callable[[], Awaitable[None]] | None:
    """Return what a failed write of a saver leaves to be done; None for one that leaves nothing."""
    connection: Any = getattr(saver, "conn", None)
    if "sqlite" not in type(saver).__module__:
        return None

    async def roll_back() -> None:
        async with saver.lock:  # type: ignore[attr-defined]
            await connection.rollback()

    return roll_back


def is_storage(error: Exception) -> bool:
    """Return whether an error is the storage's."""
    # psycopg is loaded only where Postgres is used.
    return isinstance(error, sqlite3.Error | OSError) or type(error).__module__.startswith("psycopg")


def _said(error: Exception) -> str:
    """Return what the storage said, without paths and addresses: SQLite's sentences hold neither."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, sqlite3.Error) else name
