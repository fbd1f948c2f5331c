from importlib import import_module

from sqlalchemy import inspect

from x25.state.schema import posteriors
from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0002_learner_levels")


async def test_a_store_has_what_it_adds_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        columns = await store.query(lambda connection: inspect(connection).get_columns("posteriors"))
    assert {column.name for column in posteriors.columns} == {one["name"] for one in columns}
    assert {"weight_total", "drift_up", "rescues"} <= {one["name"] for one in columns}
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0002", "0001")
