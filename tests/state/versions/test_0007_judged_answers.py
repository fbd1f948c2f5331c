from importlib import import_module

from sqlalchemy import inspect, text

from x25.state.migrations.upgrade import upgrade
from x25.state.schema import judged_answers
from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0007_judged_answers")


async def test_a_store_has_the_table_as_the_schema_names_it_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        tables = await store.query(lambda connection: inspect(connection).get_table_names())
        columns = await store.query(lambda connection: inspect(connection).get_columns("judged_answers"))
        indexes = await store.query(lambda connection: inspect(connection).get_indexes("judged_answers"))
    assert "looks" not in tables
    assert {one["name"]: one["nullable"] for one in columns} == {
        column.name: column.nullable for column in judged_answers.columns
    }
    assert [(one["name"], one["column_names"]) for one in indexes] == [
        ("judged_answers_by_time", ["org", "created_at"])
    ]
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0007", "0006")


def test_answers_kept_under_the_old_name_are_all_there_under_the_new_one(migrated_to):
    engine = migrated_to("0006")
    row = ("acme", "c1", 0, 7, "qa", "v/m", "mid", b"\x00<", "f1", 0.7, 3, "j")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO looks VALUES ({', '.join('?' * len(row))})", row)
    with engine.begin() as connection:
        upgrade(connection)
        assert [tuple(one) for one in connection.execute(text("SELECT * FROM judged_answers"))] == [row]
