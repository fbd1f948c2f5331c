from datetime import UTC, datetime

from sqlalchemy import text

from x25.state.chains import ChainBounds
from x25.state.store import open_store

ORG = "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at) VALUES ('acme', 7, 7, 'a', 0)"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def test_an_older_database_keeps_its_rows_and_counts_chains_from_now_on(migrated_to, tmp_path):
    engine = migrated_to("0019")
    with engine.begin() as connection:
        connection.execute(text(ORG))
    engine.dispose()
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/old.db") as store:
        assert await store.orgs.call_count("acme") == 7
        assert [await store.chains.step("acme", "w1", ChainBounds(), NOW) for _ in range(2)] == [1, 2]
