from sqlalchemy import inspect, text

from x25.state.store import open_store

ORG = "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at) VALUES ('acme', 7, 7, 'a', 0)"


async def test_an_older_database_keeps_its_rows_and_gains_jobs_own_models_and_opt_outs(migrated_to, tmp_path):
    engine = migrated_to("0013")
    with engine.begin() as connection:
        connection.execute(text(ORG))
    engine.dispose()
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/old.db") as store:
        names = await store.query(lambda connection: inspect(connection).get_table_names())
        assert {"improvements", "own_models", "training_opt_outs"} <= set(names)
        assert await store.orgs.call_count("acme") == 7
        assert await store.improvements.newest("acme") == []
