from importlib import import_module

from sqlalchemy import inspect

from x25.state.schema import looks
from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0005_looks")


async def test_a_store_has_the_table_as_the_schema_names_it_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        columns = await store.query(lambda connection: inspect(connection).get_columns("looks"))
        indexes = await store.query(lambda connection: inspect(connection).get_indexes("looks"))
    assert {one["name"]: one["nullable"] for one in columns} == {
        column.name: column.nullable for column in looks.columns
    }
    assert [one["name"] for one in indexes] == ["looks_by_time"]
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0005", "0004")
