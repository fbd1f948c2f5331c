import asyncio

import pytest
from sqlalchemy import text

from x25.state.database import connect, parse
from x25.state.errors import StoreError

CREATE = text("CREATE TABLE t (n INTEGER PRIMARY KEY)")
INSERT = text("INSERT INTO t VALUES (:n)")
SELECT = text("SELECT n FROM t ORDER BY n")


async def opened_with_table(url: str):
    opened = await connect(url)
    await opened.transact(lambda connection: connection.execute(CREATE).close())
    return opened


@pytest.fixture
async def database(url):
    opened = await opened_with_table(url)
    yield opened
    await opened.close()


async def numbers(database) -> list[int]:
    return list(await database.query(lambda connection: connection.scalars(SELECT).all()))


async def insert(database, n: int) -> None:
    assert await database.transact(lambda connection: connection.execute(INSERT, {"n": n}).rowcount) == 1


async def test_folder_of_a_sqlite_file_is_created(tmp_path):
    database = await connect(f"sqlite:///{tmp_path}/new/folder/x.db")
    assert await database.query(lambda connection: connection.scalar(text("SELECT 1"))) == 1
    await database.close()
    assert (tmp_path / "new/folder/x.db").exists()


async def test_writers_queue_in_one_line(database):
    await asyncio.gather(*(insert(database, n) for n in range(50)))
    assert await numbers(database) == list(range(50))


async def test_refusal_of_the_database_is_a_store_error_without_parameters(database):
    await insert(database, 123456)
    with pytest.raises(StoreError, match="refused to write: UNIQUE constraint failed") as refusal:
        await insert(database, 123456)
    assert "123456" not in str(refusal.value)
    assert await numbers(database) == [123456]


async def test_what_cannot_be_written_is_known_until_something_is(tmp_path):
    database = await connect(f"sqlite+aiosqlite:///{tmp_path / 'full.db'}")

    async def write(sql: str) -> None:
        await database.transact(lambda connection: connection.execute(text(sql)).close())

    await write("CREATE TABLE blobs (b BLOB)")
    await write("PRAGMA max_page_count = 3")
    with pytest.raises(StoreError, match="full"):
        await write("INSERT INTO blobs SELECT randomblob(90000)")
    assert "full" in (database.write_fault or "")
    await write("PRAGMA max_page_count = 9999")
    await write("INSERT INTO blobs SELECT randomblob(90000)")
    assert database.write_fault is None
    with pytest.raises(ZeroDivisionError):
        await database.transact(lambda connection: 1 / 0)
    assert database.write_fault is None
    await database.close()


async def test_refusal_to_read_is_a_store_error(url):
    database = await connect(url)
    with pytest.raises(StoreError, match="refused to read: no such table: t"):
        await numbers(database)
    await database.close()


async def test_exception_inside_a_transaction_undoes_it(database):
    def insert_then_fail(connection) -> None:
        connection.execute(INSERT, {"n": 1})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.transact(insert_then_fail)
    assert await numbers(database) == []


@pytest.mark.parametrize("url", ["sqlite://", "sqlite+aiosqlite:///:memory:"])
async def test_memory_database_survives_a_cancelled_writer(url):
    database = await opened_with_table(url)
    await insert(database, 1)
    tasks = [asyncio.create_task(insert(database, n)) for n in range(2, 12)]
    await insert(database, 50)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {1, 50} <= set(await numbers(database))
    await database.close()


async def test_two_memory_databases_share_nothing():
    first, second = await opened_with_table("sqlite://"), await connect("sqlite://")
    with pytest.raises(StoreError, match="no such table"):
        await numbers(second)
    await first.close()
    await second.close()


async def test_closed_database_refuses_by_name_and_closes_again(database):
    await database.close()
    await database.close()
    for ask in (insert(database, 1), numbers(database)):
        with pytest.raises(StoreError, match=r"expected an open database to (write|read), got .*x25\.db"):
            await ask


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d"])
def test_unknown_kind_of_database_is_refused_without_its_password(url):
    with pytest.raises(StoreError, match="expected a URL of postgresql") as refusal:
        parse(url)
    assert "secret" not in str(refusal.value)


def test_what_is_no_url_is_refused():
    with pytest.raises(StoreError, match="expected a database URL"):
        parse("x25.db")


async def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make the folder"):
        await connect(f"sqlite:///{tmp_path}/file/x.db")


async def test_file_that_is_no_database_is_refused_by_url(tmp_path):
    (tmp_path / "x.db").write_bytes(b"certainly not a database" * 50)
    with pytest.raises(StoreError, match=r"cannot open database .*x\.db: file is not a database"):
        await connect(f"sqlite:///{tmp_path}/x.db")


async def test_url_is_shown_without_its_password():
    database = await connect("postgresql://u:secret@h/d")
    assert database.url == "postgresql+psycopg://u:***@h/d"
    await database.close()
