from importlib import import_module

from sqlalchemy import inspect

from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0003_own_evidence")


async def test_a_store_has_what_it_adds_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        tables = await store.query(lambda connection: set(inspect(connection).get_table_names()))
        columns = await store.query(lambda connection: inspect(connection).get_columns("calls"))
    assert {"artifacts", "jobs"} <= tables
    assert "inputs" in {one["name"] for one in columns}
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0003", "0002")
