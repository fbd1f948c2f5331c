"""Checkpoints of calls: one thread for a call, named after org and call, so that nothing is ever shared."""

import asyncio
import logging
import re
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ..state.errors import ConfigError, NotFound, StoreError
from ..state.names import check_call_id, check_org
from ..state.sqlite_driver import make_private
from .memory.losses import is_storage, read_tuple
from .memory.privacy import without_words
from .settings import Settings

_log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 2.0
"""How long SQLite waits for another process that writes; a checkpoint that is not written then is lost."""
NEW_FILE = ("PRAGMA page_size=8192", "PRAGMA auto_vacuum=INCREMENTAL")
"""What a new file is made with; an old one stays as it is. Of usual checkpoints five fit on a page, two on 4096."""
DEFLATED = "zlib+"
"""Kind of what earlier versions wrote."""
DEFLATED_AGAINST = "zlib1+"
"""Kind of what is deflated against the first dictionary. A newer one gets a number of its own; none is ever changed."""
DICTIONARY = Path(__file__).parent.parent / "artifacts" / "checkpoints" / "dictionary_1.bin"
"""Two checkpoints of simulated calls, a judged one and one without a judge: most of them stands in every other."""
WORTH_DEFLATING = 512
"""Bytes; a checkpoint of a call has about 8,000, and 1,250 to 1,700 deflated (2,500 without the dictionary)."""
_UUID_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)


@cache
def _dictionary() -> bytes:
    return DICTIONARY.read_bytes()


class SmallSerializer(JsonPlusSerializer):
    """LangGraph's serializer, with what it writes deflated against a checkpoint of the same kind.

    Of an exception it writes class and code: the sentence may quote the caller.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the kind and the bytes of a value."""
        kind, data = super().dumps_typed(without_words(obj) if isinstance(obj, BaseException) else obj)
        if len(data) < WORTH_DEFLATING:
            return kind, data
        deflating = zlib.compressobj(1, zdict=_dictionary())
        return DEFLATED_AGAINST + kind, deflating.compress(data) + deflating.flush()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value, also of what was written before anything was deflated."""
        kind, written = data
        if kind.startswith(DEFLATED_AGAINST):
            inflating = zlib.decompressobj(zdict=_dictionary())
            whole = inflating.decompress(written) + inflating.flush()
            return super().loads_typed((kind.removeprefix(DEFLATED_AGAINST), whole))
        if kind.startswith(DEFLATED):
            return super().loads_typed((kind.removeprefix(DEFLATED), zlib.decompress(written)))
        return super().loads_typed(data)


def serializer() -> JsonPlusSerializer:
    """Return a serializer that rebuilds LangChain's messages and LangGraph's own types, and no other class."""
    return SmallSerializer(allowed_msgpack_modules=None)


def thread_id(org: str, call_id: str) -> str:
    """Return the thread of one call; both parts are validated, so one org can never name another's thread."""
    return f"{check_org(org)}/{check_call_id(call_id)}"


def thread_config(org: str, call_id: str) -> RunnableConfig:
    """Return the run configuration that stores a call's checkpoints under its own thread, org in the metadata."""
    return {
        "configurable": {"thread_id": thread_id(org, call_id)},
        "metadata": {"org": org, "call_id": call_id},
    }


@asynccontextmanager
async def open_saver(settings: Settings) -> AsyncIterator[BaseCheckpointSaver[Any] | None]:
    """Open the checkpoint saver of the configured store, set up; None when checkpoints are off."""
    if settings.checkpoints == "off":
        yield None
    elif settings.store_url.startswith("sqlite"):
        async with _sqlite_saver(settings.data_dir / "checkpoints.db") as saver:
            yield saver
    elif settings.store_url.startswith("postgresql"):
        async with _postgres_saver(settings.store_url) as saver:
            yield saver
    else:
        raise ConfigError(
            f"X25_DATABASE_URL must begin with sqlite or postgresql, got {settings.store_url.split(':')[0]!r}"
        )


@asynccontextmanager
async def _sqlite_saver(path: Path) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    import aiosqlite  # noqa: PLC0415 - only where SQLite is used
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415

    await asyncio.to_thread(make_private, path)
    async with aiosqlite.connect(path, timeout=BUSY_TIMEOUT_S) as connection:
        saver = AsyncSqliteSaver(connection, serde=serializer())
        try:
            await connection.execute("PRAGMA synchronous=NORMAL")
            await connection.execute("PRAGMA secure_delete=ON")
            for pragma in NEW_FILE:
                await connection.execute(pragma)
            await saver.setup()
        except sqlite3.Error as error:  # the saver sets itself up at the first use that succeeds
            _log.warning("checkpoints cannot be written now (%s); calls go on without", error)
        yield saver


@asynccontextmanager
async def _postgres_saver(store_url: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415
    from psycopg.rows import dict_row  # noqa: PLC0415
    from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415

    conninfo = re.sub(r"^postgresql\+\w+", "postgresql", store_url)
    arguments = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0}
    async with AsyncConnectionPool(conninfo, min_size=1, max_size=4, kwargs=arguments, open=False) as pool:
        # Rows are dictionaries because `arguments` say so, which the pool's type cannot know.
        saver = AsyncPostgresSaver(cast("Any", pool), serde=serializer())
        await saver.setup()
        yield saver


async def path_of(saver: BaseCheckpointSaver[Any], org: str, call_id: str) -> list[dict[str, Any]]:
    """Return the path one call took: node and milliseconds, in order.

    Raises
    ------
    NotFound
        When no checkpoint of that call is kept.
    """
    return list((await values_of(saver, org, call_id)).get("timings", []))


async def values_of(saver: BaseCheckpointSaver[Any], org: str, call_id: str) -> dict[str, Any]:
    """Return the stored working memory of one call; NotFound when none is kept."""
    stored = await read_tuple(saver, thread_config(org, call_id))
    if stored is None:
        raise NotFound(f"no checkpoint of call {call_id!r} of org {org!r} is kept")
    return dict(stored.checkpoint["channel_values"])


async def delete_checkpoints(
    saver: BaseCheckpointSaver[Any], *, org: str | None = None, before: datetime | None = None
) -> int:
    """Delete checkpoints by org, by age, or both; return how many calls lost theirs.

    Age is the time in the checkpoint id, a UUID of version 6. An org's threads are one range of the primary key,
    since "0" follows "/" in ASCII and org names contain neither.
    """
    clause, arguments = "1=1", []
    mark = "?" if _is_sqlite(saver) else "%s"
    if org is not None:
        clause += f" AND thread_id >= {mark} AND thread_id < {mark}"
        arguments += [f"{check_org(org)}/", f"{org}0"]
    if before is not None:
        clause += f" AND checkpoint_id < {mark}"
        arguments.append(first_uuid6(before))
    return await _delete_threads(saver, clause, arguments)


def first_uuid6(moment: datetime) -> str:
    """Return the smallest version-6 UUID of a moment (RFC 9562, section 5.6: 60 bits of 100 ns since 1582)."""
    ticks = (moment - _UUID_EPOCH) // timedelta(microseconds=1) * 10
    high, middle, low = ticks >> 28, (ticks >> 12) & 0xFFFF, ticks & 0x0FFF
    return f"{high:08x}-{middle:04x}-6{low:03x}-0000-000000000000"


def _is_sqlite(saver: BaseCheckpointSaver[Any]) -> bool:
    return "sqlite" in type(saver).__module__


async def delete_thread(saver: BaseCheckpointSaver[Any], thread: str) -> None:
    """Delete what one call left, and leave no byte of it in a SQLite file that nobody else reads just then.

    Raises
    ------
    StoreError
        When the storage refuses.
    """
    with _named_refusals(thread):
        await saver.adelete_thread(thread)
        if _is_sqlite(saver):
            await _give_back_pages(saver)


async def delete_of_org(saver: BaseCheckpointSaver[Any], org: str) -> int:
    """Delete what all calls of an org left, as `delete_thread` does for one; return how many calls there were."""
    with _named_refusals(f"org {org}"):
        deleted = await delete_checkpoints(saver, org=org)
    if deleted:
        await rebuild_file(saver)
    return deleted


@contextmanager
def _named_refusals(whose: str) -> Iterator[None]:
    """Turn what a storage refuses into a StoreError."""
    try:
        yield
    except Exception as error:
        if not is_storage(error):
            raise
        raise StoreError(f"the checkpoints of {whose} cannot be deleted: {type(error).__name__}") from error


async def rebuild_file(saver: BaseCheckpointSaver[Any]) -> None:
    """Write a SQLite file of checkpoints anew: no byte of what was deleted is left. Raises as `delete_thread`."""
    if not _is_sqlite(saver):
        return
    connection: Any = saver
    try:
        async with connection.lock:
            await connection.conn.executescript("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise StoreError(f"the checkpoints cannot be written anew: {error}") from error


async def _delete_threads(saver: Any, clause: str, arguments: list[str]) -> int:
    """Delete the whole threads of the checkpoints that match."""
    found = f"SELECT DISTINCT thread_id FROM checkpoints WHERE {clause}"  # noqa: S608 - the clause is built above
    if _is_sqlite(saver):
        async with saver.conn.execute(found, arguments) as cursor:
            threads = [row[0] for row in await cursor.fetchall()]
    else:
        async with saver.conn.connection() as connection:
            cursor = await connection.execute(
                found.replace("thread_id >=", 'thread_id COLLATE "C" >=').replace(
                    "thread_id <", 'thread_id COLLATE "C" <'
                ),
                arguments,
            )
            threads = [row["thread_id"] for row in await cursor.fetchall()]
    for thread in threads:
        await saver.adelete_thread(thread)
    if threads and _is_sqlite(saver):
        await _give_back_pages(saver)
    return len(threads)


async def _give_back_pages(saver: Any) -> None:
    """Give the pages of deleted rows back to the file system, where the file was made for it."""
    async with saver.lock:
        # A script is stepped to its end; a statement that brings no row gives back one page.
        await saver.conn.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
