from importlib import import_module

from sqlalchemy import inspect

from x25.state.schema import judged_answers

MIGRATION = import_module("x25.state.migrations.versions.0005_looks")


def test_the_table_comes_under_its_first_name_with_the_columns_of_today_and_this_follows_another_migration(
    migrated_to,
):
    found = inspect(migrated_to("0005"))
    assert {one["name"]: one["nullable"] for one in found.get_columns("looks")} == {
        column.name: column.nullable for column in judged_answers.columns
    }
    assert [one["name"] for one in found.get_indexes("looks")] == ["looks_by_time"]
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0005", "0004")
