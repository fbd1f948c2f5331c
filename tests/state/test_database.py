import asyncio

import pytest
from sqlalchemy import text

from x25.state.database import connect
from x25.state.errors import StoreError


@pytest.fixture
async def database(url):
    opened = connect(url)
    async with opened.write() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    yield opened
    await opened.close()


async def numbers(database) -> list[int]:
    async with database.read() as connection:
        return list(await connection.scalars(text("SELECT n FROM t ORDER BY n")))


async def insert(database, n: int) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})


async def test_folder_of_a_sqlite_file_is_created(tmp_path):
    database = connect(f"sqlite:///{tmp_path}/new/folder/x.db")
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await database.close()
    assert (tmp_path / "new/folder/x.db").exists()


async def test_what_is_not_committed_is_not_read(database):
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
        assert await numbers(database) == []
    assert await numbers(database) == [1]


async def test_writers_queue_in_one_line(database):
    await asyncio.gather(*(insert(database, n) for n in range(50)))
    assert await numbers(database) == list(range(50))


async def test_refusal_of_the_database_is_a_store_error_without_parameters(database):
    await insert(database, 123456)
    with pytest.raises(StoreError, match="UNIQUE constraint failed") as refusal:
        await insert(database, 123456)
    assert "123456" not in str(refusal.value)
    assert await numbers(database) == [123456]


async def test_exception_inside_a_write_undoes_it(database):
    with pytest.raises(ZeroDivisionError):
        await insert_then_fail(database)
    assert await numbers(database) == []


async def insert_then_fail(database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
        raise ZeroDivisionError


@pytest.mark.parametrize("url", ["sqlite://", "sqlite+aiosqlite:///:memory:"])
async def test_memory_database_survives_a_cancelled_writer(url):
    database = connect(url)
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    await insert(database, 1)
    tasks = [asyncio.create_task(insert(database, n)) for n in range(2, 12)]
    await insert(database, 50)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {1, 50} <= set(await numbers(database))
    await database.close()


async def test_two_memory_databases_share_nothing():
    first, second = connect("sqlite://"), connect("sqlite://")
    async with first.write() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with pytest.raises(StoreError, match="no such table"):
        await numbers(second)
    await first.close()
    await second.close()


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d"])
def test_unknown_kind_of_database_is_refused_without_its_password(url):
    with pytest.raises(StoreError, match="expected a URL of postgresql") as refusal:
        connect(url)
    assert "secret" not in str(refusal.value)


def test_what_is_no_url_is_refused():
    with pytest.raises(StoreError, match="expected a database URL"):
        connect("x25.db")


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make the folder"):
        connect(f"sqlite:///{tmp_path}/file/x.db")


async def test_url_is_shown_without_its_password():
    database = connect("postgresql://u:secret@h/d")
    assert database.url == "postgresql+psycopg://u:***@h/d"
    await database.close()
