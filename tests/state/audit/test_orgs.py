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
