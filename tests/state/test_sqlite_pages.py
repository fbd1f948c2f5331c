import sqlite3

import pytest
from sqlalchemy import text

from x25.state.sqlite_driver import SqliteConnection
from x25.state.sqlite_pages import clean_log, delete_securely, rebuild


@pytest.fixture
async def connection(tmp_path):
    opened = await SqliteConnection.open(str(tmp_path / "a.db"))

    def fill(connection):
        connection.execute(text("CREATE TABLE words (word TEXT)"))
        connection.execute(text("INSERT INTO words VALUES ('a canary')"))

    await opened.run(fill)
    yield opened
    await opened.close()


def delete(connection):
    delete_securely(connection)
    connection.execute(text("DELETE FROM words"))


async def test_what_is_deleted_leaves_the_file_and_its_log(connection, tmp_path):
    await connection.run(delete)
    assert b"a canary" in (tmp_path / "a.db-wal").read_bytes()
    assert await connection.run(clean_log)
    assert b"a canary" not in (tmp_path / "a.db").read_bytes()
    assert (tmp_path / "a.db-wal").read_bytes() == b""


async def test_the_log_stays_while_somebody_reads_it_and_goes_afterwards(connection, tmp_path):
    reader = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM words").fetchall()
    await connection.run(delete)
    assert not await connection.run(clean_log)
    reader.close()
    assert await connection.run(clean_log)


async def test_inside_a_transaction_of_others_nothing_is_tried(connection):
    def work(connection):
        connection.execute(text("INSERT INTO words VALUES ('x')"))
        return clean_log(connection) or rebuild(connection)

    assert not await connection.run(work)


async def test_a_file_that_is_written_anew_keeps_its_rows_and_its_kind(connection):
    assert await connection.run(rebuild)

    def read(connection):
        words = connection.scalars(text("SELECT word FROM words")).all()
        return (
            words,
            connection.scalar(text("PRAGMA auto_vacuum")),
            connection.scalar(text("PRAGMA journal_mode")),
        )

    assert await connection.run(read) == (["a canary"], 2, "wal")
