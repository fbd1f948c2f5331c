import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from x25.state.sqlite_driver import MEMORY, SqliteConnection, SqliteDriver, make_private

PATIENCE_S = 10
"""How long a test waits for what should happen at once."""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "a.db")


@pytest.fixture
async def opened(path: str) -> AsyncIterator[SqliteConnection]:
    connection = await SqliteConnection.open(path)
    await connection.run(execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    yield connection
    await connection.close()


@pytest.fixture
async def driver(path: str, opened: SqliteConnection) -> AsyncIterator[SqliteDriver]:
    made = await SqliteDriver.open(path)
    yield made
    await made.close()


def execute(sql: str):
    return lambda connection: connection.execute(text(sql)).rowcount


def numbers(connection: Connection) -> list[int]:
    return list(connection.scalars(text("SELECT n FROM t ORDER BY n")).all())


class Gate:
    """Work that inserts `n` and then stays inside its transaction until `leave` is set."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.entered = threading.Event()
        self.leave = threading.Event()

    def __call__(self, connection: Connection) -> int:
        execute(f"INSERT INTO t VALUES ({self.n})")(connection)
        self.entered.set()
        assert self.leave.wait(PATIENCE_S)
        return self.n


def started(work) -> asyncio.Task:
    return asyncio.create_task(work)


async def entered(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.entered.wait, PATIENCE_S)


async def test_transaction_of_many_statements_takes_one_hop(opened, monkeypatch):
    hops = []
    hop = opened._thread._execute

    def counted(function, *args):
        hops.append(function)
        return hop(function, *args)

    monkeypatch.setattr(opened._thread, "_execute", counted)
    await opened.run(lambda c: [execute(f"INSERT INTO t VALUES ({n})")(c) for n in range(9)])
    assert await opened.run(numbers) == list(range(9))
    assert len(hops) == 2


async def test_work_runs_off_the_event_loop(opened):
    assert await opened.run(lambda _: threading.get_ident()) != threading.get_ident()


async def test_exception_undoes_the_work_and_leaves_the_connection_usable(opened):
    with pytest.raises(IntegrityError, match="UNIQUE"):
        await opened.run(lambda c: [execute("INSERT INTO t VALUES (1)")(c) for _ in range(2)])
    assert await opened.run(numbers) == []
    await opened.run(execute("INSERT INTO t VALUES (2)"))
    assert await opened.run(numbers) == [2]


async def test_error_hides_the_parameters(opened):
    insert = text("INSERT INTO t VALUES (:n)")
    await opened.run(lambda c: c.execute(insert, {"n": 123456}).rowcount)
    with pytest.raises(IntegrityError) as refusal:
        await opened.run(lambda c: c.execute(insert, {"n": 123456}))
    assert "123456" not in str(refusal.value)


async def test_work_of_a_cancelled_caller_ends_its_transaction(opened, path):
    gate = Gate(1)
    caller = started(opened.run(gate))
    await entered(gate)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.leave.set()
    assert await opened.run(lambda c: c.connection.driver_connection.in_transaction) is False
    assert await opened.run(numbers) == [1]


async def test_first_write_takes_the_lock_and_another_process_waits(opened, path):
    gate = Gate(1)
    caller = started(opened.run(gate))
    await entered(gate)
    other = sqlite3.connect(path, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    second = await SqliteConnection.open(path)
    waiting = started(second.run(execute("INSERT INTO t VALUES (2)")))
    assert await second_is_busy(second) is True
    gate.leave.set()
    assert (await caller, await waiting) == (1, 1)
    assert await opened.run(numbers) == [1, 2]
    await second.close()


async def second_is_busy(connection: SqliteConnection) -> bool:
    await asyncio.sleep(0)  # one turn of the loop, so that the task hands its work over
    return connection.awaited == 1


async def test_reading_takes_no_lock(opened, path):
    reading = await opened.run(lambda c: (numbers(c), c.connection.driver_connection.in_transaction))
    assert reading == ([], False)


@pytest.mark.parametrize(("synchronous", "number"), [("NORMAL", 1), ("FULL", 2)])
async def test_connection_is_set_up_as_asked(tmp_path, synchronous, number):
    connection = await SqliteConnection.open(str(tmp_path / "b.db"), synchronous=synchronous)
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    pragmas = await connection.run(lambda c: [c.scalar(text(f"PRAGMA {name}")) for name in names])
    assert pragmas == ["wal", number, 1, 30_000]
    await connection.close()


async def test_closing_waits_for_what_was_asked_for(path):
    connection = await SqliteConnection.open(path)
    await connection.run(execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    gate = Gate(1)
    caller = started(connection.run(gate))
    await entered(gate)
    closing = started(connection.close())
    await asyncio.sleep(0)
    assert not closing.done()
    gate.leave.set()
    await closing
    assert await caller == 1


@pytest.fixture
def threads_end(monkeypatch) -> Iterator[None]:
    """Fail when a thread outlives the test or ends by an exception."""
    failures = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert failures == []


async def open_and_close(path: str) -> None:
    driver = await SqliteDriver.open(path)
    await driver.transact(execute("CREATE TABLE t (n INTEGER)"))
    await driver.close()
    await driver.close()


@pytest.mark.usefixtures("threads_end")
def test_closed_driver_leaves_no_thread_and_no_log_file(path):
    asyncio.run(open_and_close(path))
    assert not Path(path + "-wal").exists()


@pytest.mark.usefixtures("threads_end")
def test_file_that_is_no_database_is_refused_and_leaves_no_thread(path):
    Path(path).write_bytes(b"not a database, but long enough to be looked at" * 20)
    for _ in range(20):  # a thread that nobody waits for loses its loop only now and then
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            asyncio.run(SqliteDriver.open(path))


async def test_reader_does_not_wait_for_the_writer_nor_see_what_is_not_committed(driver):
    gate = Gate(1)
    caller = started(driver.transact(gate))
    await entered(gate)
    assert await driver.query(numbers) == []
    gate.leave.set()
    await caller
    assert await driver.query(numbers) == [1]


async def test_reader_with_nothing_to_do_is_chosen(driver):
    leave = threading.Event()
    slow = started(driver.query(lambda _: leave.wait(PATIENCE_S)))
    await asyncio.sleep(0)
    for _ in range(8):
        assert await driver.query(numbers) == []
    assert not slow.done()
    leave.set()
    assert await slow is True


async def test_new_file_is_opened_by_many_at_once(tmp_path):
    for attempt in range(5):
        path = str(tmp_path / f"{attempt}.db")
        drivers = await asyncio.gather(*(SqliteDriver.open(path) for _ in range(8)))
        for made in drivers:
            assert await made.query(lambda c: c.scalar(text("PRAGMA journal_mode"))) == "wal"
            await made.close()


async def test_memory_is_written_and_read_through_one_connection():
    driver = await SqliteDriver.open(MEMORY)
    await driver.transact(execute("CREATE TABLE t (n INTEGER)"))
    await driver.transact(execute("INSERT INTO t VALUES (7)"))
    assert await driver.query(numbers) == [7]
    await driver.close()


async def test_what_it_creates_nobody_else_may_read(tmp_path):
    was = os.umask(0o022)
    try:
        folder = tmp_path / "new" / "data"
        connection = await SqliteConnection.open(str(folder / "a.db"))
        await connection.run(execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        assert modes.keys() >= {"a.db", "a.db-wal"}
        assert set(modes.values()) == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700
        await connection.close()
    finally:
        os.umask(was)


def test_modes_of_what_is_there_are_left_alone(path):
    Path(path).touch()
    Path(path).chmod(0o640)
    make_private(Path(path))
    assert Path(path).stat().st_mode & 0o777 == 0o640


def test_making_a_database_private_keeps_the_locks_of_this_process(path):
    with closing(sqlite3.connect(path)) as first:
        first.execute("CREATE TABLE t (n)")
        first.execute("BEGIN EXCLUSIVE")
        make_private(Path(path))
        other = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM t')"
        ran = subprocess.run([sys.executable, "-c", other, path], capture_output=True, text=True, check=False)
    assert "database is locked" in ran.stderr
