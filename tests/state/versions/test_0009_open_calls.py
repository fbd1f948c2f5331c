from importlib import import_module

from sqlalchemy import inspect, text

from x25.state.migrations.upgrade import upgrade
from x25.state.schema import leases, open_calls
from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0009_open_calls")


async def test_a_store_has_the_tables_as_the_schema_names_them_and_this_follows_another_migration(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        for table in (leases, open_calls):
            columns = await store.query(
                lambda connection, name=table.name: inspect(connection).get_columns(name)
            )
            assert {one["name"]: one["nullable"] for one in columns} == {
                column.name: column.nullable for column in table.columns
            }
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0009", "0008")


def test_a_call_that_was_never_logged_is_open_afterwards_and_belongs_to_nobody(migrated_to):
    engine = migrated_to("0008")
    attempt = (
        "INSERT INTO attempts (attempt_id, org, call_id, step, kind, model_id, tier, deployment, status,"
        " reserved_nusd, started_at, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens)"
        " VALUES (?, 'acme', ?, 0, 'answer', 'v/m', 'mid', 'd', 'started', 7, ?, 0, 0, 0, 0)"
    )
    with engine.begin() as connection:
        for row in (("a1", "lost", 5), ("a2", "lost", 9), ("a3", "logged", 7)):
            connection.exec_driver_sql(attempt, row)
        columns = [column["name"] for column in inspect(connection).get_columns("calls")]
        texts = dict.fromkeys(columns, 0) | {"org": "acme", "call_id": "logged", "decision": "{}"}
        connection.exec_driver_sql(
            f"INSERT INTO calls ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            tuple(texts.values()),
        )
    with engine.begin() as connection:
        upgrade(connection)
        assert [tuple(one) for one in connection.execute(text("SELECT * FROM open_calls"))] == [
            ("acme", "lost", None, 9, 0, None, None)
        ]
