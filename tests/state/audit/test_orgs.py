from x25.state.audit.orgs import FRESH_S
from x25.state.store import open_store


async def test_orgs_are_listed_by_name_once_they_have_a_chain(store, make_call):
    assert await store.orgs.list() == []
    await store.audit.append("zeta", {})
    await store.calls.record(make_call(org="beta"), {})
    assert await store.orgs.list() == ["beta", "zeta"]


async def test_only_calls_are_counted_not_every_entry(store, make_call):
    await store.calls.record(make_call(), {})
    await store.audit.append("acme", {"kind": "note"})
    assert await store.orgs.call_count("acme") == 1
    assert await store.orgs.call_count("nobody") == 0


async def test_a_remembered_count_has_the_calls_of_this_process_at_once_and_others_calls_after_a_second(
    url, make_call
):
    async with await open_store(url) as here, await open_store(url) as other:
        now_s = 100.0
        here.orgs._clock_s = lambda: now_s
        await here.calls.record(make_call(call_id="one"), {})
        await other.calls.record(make_call(call_id="two"), {})
        assert await here.orgs.recent_call_count("acme") == 1
        await here.calls.record(make_call(call_id="three"), {})
        assert await here.orgs.recent_call_count("acme") == 3
        await other.calls.record(make_call(call_id="four"), {})
        now_s += FRESH_S
        assert await here.orgs.recent_call_count("acme") == 4


async def test_remembered_counts_are_bounded_and_forgotten(store, make_call, monkeypatch):
    monkeypatch.setattr("x25.state.audit.orgs.MOST_ORGS", 2)
    for org in ("one", "two", "three"):
        await store.calls.record(make_call(org=org), {})
    assert list(store.orgs._counted) == ["two", "three"]
    store.orgs.forget("three")
    assert list(store.orgs._counted) == ["two"]
