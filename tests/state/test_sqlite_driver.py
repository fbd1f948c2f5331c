import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from x25.state.sqlite_driver import BufferedConnection, connector


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[BufferedConnection]:
    opened = await connector(str(tmp_path / "a.db"))()
    cursor = opened.cursor()
    await cursor.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    yield opened
    await opened.close()


async def fetch(
    connection: BufferedConnection, sql: str, parameters: tuple[object, ...] = ()
) -> list[object]:
    cursor = connection.cursor()
    await cursor.execute(sql, parameters)
    return await cursor.fetchall()


async def hops(connection: BufferedConnection, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    made = []
    execute = connection._execute

    async def counting(function, *args, **kwargs):
        made.append(function)
        return await execute(function, *args, **kwargs)

    monkeypatch.setattr(connection, "_execute", counting)
    return made


async def test_statement_and_its_rows_take_one_hop(connection, monkeypatch):
    made = await hops(connection, monkeypatch)
    assert await fetch(connection, "SELECT 1 UNION SELECT 2") == [(1,), (2,)]
    assert len(made) == 1


async def test_ending_a_transaction_that_wrote_nothing_takes_no_hop(connection, monkeypatch):
    made = await hops(connection, monkeypatch)
    await connection.commit()
    await connection.rollback()
    assert made == []


async def test_rows_are_handed_over_once(connection):
    cursor = connection.cursor()
    await cursor.execute("SELECT 1")
    assert [await cursor.fetchall(), await cursor.fetchall()] == [[(1,)], []]


async def test_cursor_reports_columns_and_counts(connection):
    cursor = connection.cursor()
    await cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (5,)])
    assert (cursor.rowcount, cursor.description) == (3, None)
    await cursor.execute("UPDATE t SET n = n + 10 RETURNING n")
    assert (cursor.rowcount, cursor.description[0][0]) == (3, "n")
    await cursor.execute("INSERT INTO t VALUES (99)")
    assert cursor.lastrowid == 99


async def test_rollback_undoes_and_commit_keeps(connection):
    await fetch(connection, "INSERT INTO t VALUES (1)")
    await connection.rollback()
    await fetch(connection, "INSERT INTO t VALUES (2)")
    await connection.commit()
    await connection.rollback()
    assert await fetch(connection, "SELECT n FROM t") == [(2,)]


async def test_first_write_takes_the_lock_and_the_next_writer_waits(connection, tmp_path):
    other = await connector(str(tmp_path / "a.db"))()
    await fetch(connection, "INSERT INTO t VALUES (1)")
    waiting = asyncio.create_task(fetch(other, "INSERT INTO t VALUES (2)"))
    assert await fetch(connection, "SELECT n FROM t") == [(1,)]
    assert not waiting.done()
    await connection.commit()
    await waiting
    await other.commit()
    assert await fetch(connection, "SELECT n FROM t") == [(1,), (2,)]
    await other.close()


@pytest.mark.parametrize(("synchronous", "number"), [("NORMAL", 1), ("FULL", 2)])
async def test_connection_is_set_up_as_asked(tmp_path, synchronous, number):
    opened = await connector(str(tmp_path / "b.db"), synchronous=synchronous)()
    pragmas = [
        await fetch(opened, f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert pragmas == [[("wal",)], [(number,)], [(1,)]]
    await opened.close()


async def test_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "c.db").write_bytes(b"not a database, but long enough to be looked at" * 20)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        await connector(str(tmp_path / "c.db"))()
