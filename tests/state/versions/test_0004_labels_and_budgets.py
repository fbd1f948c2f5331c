from importlib import import_module

from sqlalchemy import inspect

from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0004_labels_and_budgets")


async def test_a_store_has_its_tables_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        tables = await store.query(lambda connection: set(inspect(connection).get_table_names()))
    assert {"labels", "budgets"} <= tables
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0004", "0003")
