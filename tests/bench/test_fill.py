import sqlite3
from contextlib import closing

import pytest

from x25.bench.fill import copy_calls, copy_orgs
from x25.bench.reports import ORG, fill
from x25.state.store import open_store


@pytest.fixture
async def path(tmp_path):
    found = tmp_path / "x25.db"
    async with await open_store(f"sqlite+aiosqlite:///{found}") as store:
        await fill(store, 10)
    return found


def counted(path, table, org):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table} WHERE org = ?", (org,)).fetchone()[0]


async def test_an_org_has_as_many_calls_more_and_logs_on(path):
    copy_calls(path, ORG, 1_000)
    assert {counted(path, table, ORG) for table in ("calls", "attempts", "audit")} == {1_010}
    async with await open_store(f"sqlite+aiosqlite:///{path}") as store:
        assert (await store.calls.stats(ORG)).total_calls == 1_010
        entry = await store.audit.append(ORG, {"kind": "test"})
        assert entry.index == 1_010


async def test_orgs_are_like_the_one_they_are_copies_of(path):
    copy_orgs(path, ORG, 30)
    assert {counted(path, table, "org-29") for table in ("calls", "attempts", "audit")} == {10}
    async with await open_store(f"sqlite+aiosqlite:///{path}") as store:
        assert (await store.calls.stats("org-7")).total_calls == 10
        assert (await store.audit.verify("org-7")).intact
