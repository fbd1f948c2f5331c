import pytest

from x25.state.errors import StoreError
from x25.state.store import open_store


async def test_closed_store_kept_everything(url, make_call):
    async with await open_store(url) as store:
        await store.calls.record(make_call(), {"n": 1})
    async with await open_store(url) as store:
        assert await store.orgs.call_count("acme") == 1
        assert (await store.audit.verify("acme")).intact


async def test_memory_store_works_like_any_other(make_call):
    async with await open_store("sqlite+aiosqlite://") as store:
        await store.calls.record(make_call(), {"n": 1})
        assert (await store.calls.stats("acme")).total_calls == 1


async def test_file_that_is_no_database_is_refused_by_url(tmp_path, url):
    (tmp_path / "x25.db").write_bytes(b"certainly not a database" * 50)
    with pytest.raises(StoreError, match=r"x25\.db.*not a database"):
        await open_store(url)


async def test_unreachable_postgres_is_refused_without_its_password(tmp_path):
    with pytest.raises(StoreError) as refusal:
        await open_store(f"postgresql+psycopg://u:secret@/d?host={tmp_path}")
    assert "u:***@" in str(refusal.value)
    assert "secret" not in str(refusal.value)


async def test_full_synchronous_reaches_the_connection(url):
    async with await open_store(url, synchronous="FULL") as store:
        assert await store.transact(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar()) == 2


async def test_closing_twice_is_harmless(url):
    store = await open_store(url)
    await store.close()
    await store.close()


async def test_url_names_the_database(url):
    async with await open_store(url) as store:
        assert store.url == url


async def test_catching_up_waits_for_what_nobody_waits_for(url, make_attempt):
    async with await open_store(url) as store, await open_store(url) as other:
        await store.attempts.start(make_attempt())
        await store.attempts.finish_later(make_attempt(status="finished", cost_nusd=3))
        await store.catch_up()
        assert await other.attempts.spent_nusd("acme") == 3
