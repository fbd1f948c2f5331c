import subprocess
import sys

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from x25.state.changes import note_change
from x25.state.errors import StoreError
from x25.state.postgres_driver import open_postgres
from x25.state.store import open_store

NOBODY = "postgresql+psycopg://x25:secret@127.0.0.1:1/x25?connect_timeout=1"


def test_a_store_on_sqlite_does_not_load_it():
    program = (
        "import asyncio, sys\n"
        "from x25.state.store import open_store\n"
        "async def opened():\n"
        "    async with await open_store('sqlite+aiosqlite://'):\n"
        "        return [name for name in ('sqlalchemy.orm', 'psycopg') if name in sys.modules]\n"
        "print(asyncio.run(opened()))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


async def test_a_server_nobody_listens_at_is_found_at_the_first_transaction_and_nothing_is_announced():
    told = []
    driver = open_postgres(make_url(NOBODY), told.append)
    with pytest.raises(OperationalError):
        await driver.transact(lambda connection: note_change(connection, "acme"))
    with pytest.raises(OperationalError):
        await driver.query(lambda connection: connection.info)
    assert driver.waiting == 0
    assert told == []
    await driver.close()


async def test_what_was_to_be_written_later_has_its_error():
    driver = open_postgres(make_url(NOBODY), lambda _: None)
    asked = await driver.transact_later(lambda connection: connection.info)
    assert isinstance(asked.error, OperationalError)
    with pytest.raises(OperationalError):
        await asked.future
    await driver.close()


async def test_a_store_there_is_refused_by_url_without_its_password():
    with pytest.raises(StoreError, match=r"127\.0\.0\.1") as raised:
        await open_store(NOBODY)
    assert "secret" not in str(raised.value)
