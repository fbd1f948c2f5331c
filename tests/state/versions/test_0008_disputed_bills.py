from importlib import import_module

from sqlalchemy import inspect

from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0008_disputed_bills")


async def test_an_attempt_has_what_is_disputed_of_it_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        columns = await store.query(lambda connection: inspect(connection).get_columns("attempts"))
        indexes = await store.query(lambda connection: inspect(connection).get_indexes("attempts"))
    assert [one["default"] for one in columns if one["name"] == "disputed_nusd"] == ["'0'"]
    assert "attempts_disputed" in {one["name"] for one in indexes}
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0008", "0007")
