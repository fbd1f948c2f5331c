from sqlalchemy import inspect

from x25.state.store import open_store


async def test_how_often_an_org_was_erased_has_its_place(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:

        def look(connection):
            found = inspect(connection)
            columns = {one["name"]: one for one in found.get_columns("orgs")}
            return columns["erasures"], {one["name"] for one in found.get_indexes("orgs")}

        column, indexes = await store.query(look)
        assert await store.erasure.count_of_orgs() == 0
        assert await store.erasure.erased_orgs() == {}
    assert (column["nullable"], str(column["default"]).strip("'")) == (False, "0")
    assert "orgs_erased" in indexes
