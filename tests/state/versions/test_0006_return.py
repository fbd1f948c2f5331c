from importlib import import_module

from sqlalchemy import inspect

from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0006_return")


async def test_an_arms_row_has_what_was_known_before_a_change_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        columns = await store.query(lambda connection: inspect(connection).get_columns("posteriors"))
    added = {"forgotten_reward", "forgotten_predicted", "forgotten_weight", "return_odds"}
    assert {one["name"]: one["default"] for one in columns if one["name"] in added} == dict.fromkeys(
        added, "'0'"
    )
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0006", "0005")
