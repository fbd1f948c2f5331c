from sqlalchemy import inspect

from x25.state.store import open_store


async def test_claims_requests_of_keys_and_admins_have_their_place(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        names = await store.query(lambda connection: inspect(connection).get_table_names())
        keys = await store.query(lambda connection: inspect(connection).get_columns("keys"))
    assert "call_claims" in names
    assert {one["name"]: one["default"] for one in keys}["is_admin"] == "0"
