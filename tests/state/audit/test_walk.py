from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine

from x25.state.audit import chain, erasure, walk
from x25.state.audit.chain import append_entry, canonical_json, chain_hash
from x25.state.audit.walk import hash_of_bytes
from x25.state.errors import StoreError
from x25.state.schema import audit, orgs


@pytest.fixture
def filled(store):
    """Return a function that appends entries to the chain of "acme"."""

    async def fill(count):
        for n in range(count):
            await store.audit.append("acme", {"n": n})

    return fill


@pytest.fixture
def execute(store):
    async def run(statement):
        await store.transact(lambda connection: connection.execute(statement).close())

    return run


async def test_only_new_entries_are_read_again(store, filled, monkeypatch):
    await filled(30)
    await store.audit.verify_new("acme")
    hashed = []

    def counting(prev_hash, canonical):
        hashed.append(canonical)
        return hash_of_bytes(prev_hash, canonical)

    await filled(3)
    monkeypatch.setattr("x25.state.audit.walk.hash_of_bytes", counting)
    found = await store.audit.verify_new("acme")
    assert (found.intact, found.total_records, found.checked_from) == (True, 33, 29)
    assert len(hashed) == 4  # the new ones, and the one they link to


@pytest.mark.parametrize("index", [4, 5, 6])
async def test_an_edit_of_a_new_entry_or_of_the_one_it_links_to_is_found_at_once(
    store, filled, execute, index
):
    await filled(5)
    await store.audit.verify_new("acme")
    await filled(2)
    await execute(audit.update().where(audit.c.idx == index).values(record="{}"))
    found = await store.audit.verify_new("acme")
    assert (found.intact, found.first_broken_index, found.reason) == (False, index, "edited")


async def test_an_edit_of_an_old_entry_is_found_by_the_whole_walk_and_by_every_check_after_it(
    store, filled, execute
):
    await filled(8)
    await store.audit.verify_new("acme")
    await execute(audit.update().where(audit.c.idx == 2).values(record="{}"))
    assert (await store.audit.verify_new("acme")).intact
    for _ in range(2):
        assert (await store.audit.verify("acme")).first_broken_index == 2
        assert (await store.audit.verify_new("acme")).first_broken_index == 2
    await execute(audit.update().where(audit.c.idx == 2).values(record=canonical_json({"n": 2})))
    assert (await store.audit.verify("acme")).intact
    assert (await store.audit.verify_new("acme")).checked_from == 7


async def test_a_tail_cut_off_together_with_its_head_is_found(store, filled, execute):
    await filled(6)
    (kept,) = (await store.audit.tail("acme", 4))[:1]
    await store.audit.verify_new("acme")
    await execute(audit.delete().where(audit.c.idx > kept.index))
    await execute(orgs.update().values(chain_length=kept.index + 1, chain_head=kept.record_hash))
    for check in (store.audit.verify_new, store.audit.verify):
        found = await check("acme")
        assert (found.intact, found.first_broken_index) == (False, kept.index + 1)
        assert found.reason == "shorter than when it was verified"


async def test_a_chain_rewritten_together_with_its_head_is_found_by_what_was_verified(store, filled, execute):
    await filled(1)
    await store.audit.verify_new("acme")
    record = canonical_json({"n": "forged"})
    forged = chain_hash("0" * 64, record)
    await execute(audit.update().values(record=record, record_hash=forged))
    await execute(orgs.update().values(chain_head=forged))
    for check in (store.audit.verify_new, store.audit.verify):
        found = await check("acme")
        assert (found.intact, found.reason) == (False, "differs from when it was verified")


async def test_an_entry_outside_the_chain_is_found_by_both_walks(store, filled, execute):
    await filled(3)
    await store.audit.verify_new("acme")
    for index in (7, -1):
        stray = {"org": "acme", "idx": index, "prev_hash": f"{index:064d}", "record_hash": "", "record": "{}"}
        await execute(audit.insert().values(**stray, created_at=datetime.now(UTC)))
        assert (await store.audit.verify_new("acme")).first_broken_index == index
        assert (await store.audit.verify("acme")).first_broken_index == index
        await execute(audit.delete().where(audit.c.idx == index))


async def test_calls_are_counted_apart_from_other_entries(store, make_call):
    await store.audit.append("acme", {"kind": "drift"})
    await store.calls.record(make_call(), {"kind": "call"})
    for check in (store.audit.verify, store.audit.verify_new):
        found = await check("acme")
        assert (found.total_records, found.calls) == (2, 1)


async def test_an_org_without_entries_is_intact_to_both_walks(store):
    for check in (store.audit.verify, store.audit.verify_new):
        found = await check("nobody")
        assert (found.intact, found.total_records, found.calls) == (True, 0, 0)


async def test_every_chain_is_checked_by_what_is_new_where_that_is_asked_for(store):
    for org in ("one", "two"):
        await store.transact(lambda connection, org=org: append_entry(connection, org, {})[1])
    await store.audit.verify_all(only_new=True)
    await store.audit.append("two", {})
    assert [one.checked_from for one in await store.audit.verify_all(only_new=True)] == [0, 0]
    assert [one.total_records for one in await store.audit.verify_all(only_new=True)] == [1, 2]
    assert [one.checked_from for one in await store.audit.verify_all(only_new=True)] == [0, 1]


async def test_what_was_found_is_told_though_it_cannot_be_noted(store, filled, monkeypatch, caplog):
    await filled(2)

    async def refuse(_work):
        raise StoreError("database is locked")

    monkeypatch.setattr(store.audit._database, "transact", refuse)
    assert (await store.audit.verify("acme")).intact
    assert "cannot be noted: database is locked" in caplog.text
    assert chain._log.name in {record.name for record in caplog.records}


async def test_what_is_erased_while_a_chain_is_walked_is_no_break(store, make_call, tmp_path, monkeypatch):
    for n in range(10):
        await store.calls.record(make_call(call_id=f"c{n}"), {"n": n})
    engine, follow = create_engine(f"sqlite:///{tmp_path}/x25.db"), walk._Walk.follow
    to_erase = ["c8", "c9"]

    def erasing(self, rows):
        follow(self, rows)
        if to_erase:
            with engine.begin() as connection:
                assert erasure._delete(connection, "acme", to_erase.pop(), None)

    monkeypatch.setattr(walk, "PAGE", 4)
    monkeypatch.setattr(walk._Walk, "follow", erasing)
    found = await store.audit.verify("acme")
    engine.dispose()
    assert (found.intact, found.erased, found.total_records) == (True, 2, 12)
