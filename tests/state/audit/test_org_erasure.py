import pytest

from x25.state.audit import org_erasure
from x25.state.audit.tombstones import TOMBSTONE


async def entries(store, org):
    return [one.record for one in await store.audit.tail(org, 1_000)]


async def test_rows_go_and_the_chain_stays_whole_however_long_it_is(store, make_call, monkeypatch):
    monkeypatch.setattr(org_erasure, "MOST_NAMED", 3)
    for org in ("acme", "beta"):
        for number in range(10):
            await store.calls.record(
                make_call(org=org, call_id=f"c{number}", prompt=f"{org} {number}"), {"n": number}
            )
    await store.erasure.delete("acme", "c4")  # a tombstone of before, and the entry that names it
    beta = await entries(store, "beta")
    erased = await store.erasure.delete_org("acme")
    assert (erased.entries, erased.calls, erased.rows["calls"]) == (11, 10, 9)
    records = await entries(store, "acme")
    assert records[:11] == [{"kind": "erased"}] * 11
    assert [one["kind"] for one in records[11:]] == ["deletion"] * 4 + ["org_deleted"]
    assert TOMBSTONE == '{"kind":"erased"}'
    found = await store.audit.verify("acme")
    assert (found.intact, found.erased, found.calls) == (True, 11, 0)
    assert await entries(store, "beta") == beta
    assert (await store.audit.verify("beta")).intact
    # A second time there is nothing but the end of the first.
    assert (await store.erasure.delete_org("acme")).calls == 0
    assert (await store.audit.verify("acme")).intact


async def test_of_an_org_that_never_was_nothing_is_erased(store):
    assert await store.erasure.delete_org("nobody") is None
    assert await store.audit.head("nobody") == (0, "0" * 64)


@pytest.mark.parametrize("org", ["a", "a-", "ab"])
async def test_keys_close_first_and_no_other_orgs(store, org):
    kept, _ = await store.keys.create("a_b")
    secret, _ = await store.keys.create(org)
    await store.erasure.close_doors(org)
    with pytest.raises(Exception, match="unknown"):
        await store.keys.authenticate(secret)
    await store.keys.authenticate(kept)
    assert await store.erasure.calls_under_way(org) == 0
