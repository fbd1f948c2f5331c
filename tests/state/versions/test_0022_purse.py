from sqlalchemy import inspect

from x25.state.store import open_store


async def test_tokens_slots_and_provider_keys_have_their_place(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:

        def look(connection):
            found = inspect(connection)
            columns = {
                name: {one["name"] for one in found.get_columns(name)} for name in found.get_table_names()
            }
            return columns, {one["name"] for one in found.get_indexes("attempts")}

        columns, indexes = await store.query(look)
    assert "key_requests" not in columns
    assert {"org", "owner", "slot_id", "asked_at", "tokens", "open_until"} == columns["rate_slots"]
    assert {"org", "key_id", "provider", "priority", "prefix", "sealed", "created_at"} == columns[
        "provider_keys"
    ]
    assert "tokens" in columns["budgets"]
    assert {"tokens_per_minute", "concurrent_calls", "day_tokens", "month_tokens"} <= columns["keys"]
    assert "byok_key" in columns["attempts"]
    assert "attempts_byok" in indexes
