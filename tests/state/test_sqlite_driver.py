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

from x25.state.changes import note_change
from x25.state.sqlite_driver import MEMORY, SqliteConnection, SqliteDriver, make_private
from x25.state.sqlite_pages import give_back

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


async def behind(opened: SqliteConnection, gate: Gate, *works) -> list:
    """Return what comes of works that wait while the gate's transaction runs."""
    first = started(opened.run(gate))
    await entered(gate)
    waiting = [started(opened.run(work)) for work in works]
    await asyncio.sleep(0)  # one turn of the loop, so that every task hands its work over
    gate.leave.set()
    outcomes = await asyncio.gather(first, *waiting, return_exceptions=True)
    return outcomes[1:]


async def test_works_that_wait_are_committed_together(opened, path):
    commits = []
    opened._raw.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    works = [execute(f"INSERT INTO t VALUES ({n})") for n in range(1, 10)]
    assert await behind(opened, Gate(0), *works) == [1] * 9
    assert len(commits) == 2
    with closing(sqlite3.connect(path)) as other:
        assert [n for (n,) in other.execute("SELECT n FROM t ORDER BY n")] == list(range(10))


async def test_one_of_ten_that_fails_is_undone_alone(opened):
    def refuse(connection: Connection) -> None:
        execute("INSERT INTO t VALUES (500)")(connection)
        raise KeyError("refused")

    works = [execute(f"INSERT INTO t VALUES ({n})") for n in range(1, 9)]
    outcomes = await behind(
        opened, Gate(0), *works[:4], refuse, execute("INSERT INTO t VALUES (0)"), *works[4:]
    )
    failed = [one for one in outcomes if one != 1]
    assert [type(one) for one in failed] == [KeyError, IntegrityError]
    assert outcomes.index(failed[0]) == 4
    assert await opened.run(numbers) == list(range(9))


async def test_works_of_a_group_see_those_before_them(opened):
    def counted(connection: Connection) -> int:
        execute("INSERT INTO t SELECT MAX(n) + 1 FROM t")(connection)
        return max(numbers(connection))

    assert await behind(opened, Gate(0), *[counted] * 20) == list(range(1, 21))


async def test_a_group_has_an_end(opened, monkeypatch):
    groups = []
    serve = opened._serve
    monkeypatch.setattr(opened._thread, "_serve", lambda group: (groups.append(len(group)), serve(group)))
    works = [execute(f"INSERT INTO t VALUES ({n})") for n in range(1, 151)]
    assert await behind(opened, Gate(0), *works) == [1] * 150
    assert groups == [1, 64, 64, 22]


async def test_nobody_is_told_before_the_commit(opened, path):
    seen = []

    async def insert(n: int) -> None:
        await opened.run(execute(f"INSERT INTO t VALUES ({n})"))
        with closing(sqlite3.connect(path)) as other:
            seen.append(other.execute("SELECT COUNT(*) FROM t WHERE n = ?", [n]).fetchone()[0])

    await asyncio.gather(*map(insert, range(40)))
    assert seen == [1] * 40


async def test_a_commit_that_fails_is_told_to_everybody_of_the_group(opened):
    await opened.run(execute("CREATE TABLE child (n REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)"))
    works = [execute("INSERT INTO t VALUES (1)"), execute("INSERT INTO child VALUES (99)")]
    outcomes = await behind(opened, Gate(0), *works)
    assert [str(one.orig) for one in outcomes] == ["FOREIGN KEY constraint failed"] * 2
    assert await opened.run(numbers) == [0]


async def test_a_transaction_that_sqlite_gave_up_is_told_to_everybody_of_the_group(opened):
    works = [
        execute("INSERT INTO t VALUES (1)"),
        execute("INSERT OR ROLLBACK INTO t VALUES (0)"),
        execute("INSERT INTO t VALUES (2)"),
    ]
    outcomes = await behind(opened, Gate(0), *works)
    assert [type(one) for one in outcomes] == [IntegrityError] * 3
    await opened.run(execute("INSERT INTO t VALUES (3)"))
    assert await opened.run(numbers) == [0, 3]


async def test_held_work_goes_with_the_next_one(opened):
    commits = []
    opened._raw.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    held = opened.hold(execute("INSERT INTO t VALUES (1)"))
    assert await opened.run(numbers) == [1]
    assert (held.future.done(), held.error, held.result, commits) == (True, None, 1, ["COMMIT"])


async def test_held_work_is_done_though_nothing_follows(opened, path):
    assert await opened.hold(execute("INSERT INTO t VALUES (1)")).future == 1
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT n FROM t").fetchall() == [(1,)]


async def test_closing_does_what_is_held(path):
    connection = await SqliteConnection.open(path)
    await connection.run(execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    held = connection.hold(execute("INSERT INTO t VALUES (1)"))
    await connection.close()
    assert await held.future == 1


async def test_what_changed_is_told_before_the_callers_are(path):
    told = []
    connection = await SqliteConnection.open(path, announce=lambda changed: told.append(set(changed)))
    await connection.run(lambda c: note_change(c, "acme"))
    assert told == [{"acme"}]
    await connection.run(lambda _: None)
    assert told == [{"acme"}]
    await connection.close()


async def test_what_is_deleted_leaves_a_new_file(path):
    connection = await SqliteConnection.open(path)
    await connection.run(execute("CREATE TABLE big (x)"))
    fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
    await connection.run(execute(f"INSERT INTO big {fill} SELECT zeroblob(4000) FROM n"))
    await connection.run(execute("DELETE FROM big"))
    left = [await connection.run(give_back) for _ in range(4)]
    assert left == sorted(left, reverse=True)  # a piece at a time
    assert (left[0], left[-1]) == (True, False)
    assert await connection.run(lambda c: c.scalar(text("PRAGMA page_count"))) < 25
    await connection.close()


async def test_a_file_that_was_made_without_it_stays_as_large_as_it_is(path):
    with closing(sqlite3.connect(path)) as older:
        older.execute("CREATE TABLE t (x)")
    connection = await SqliteConnection.open(path)
    assert await connection.run(give_back) is False
    await connection.close()


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
