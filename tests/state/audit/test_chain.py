from hashlib import sha256

import pytest

from x25.state.audit import walk as walk_module
from x25.state.audit.chain import GENESIS_HASH, append_entry, canonical_json, chain_hash
from x25.state.errors import StoreError
from x25.state.schema import audit


def test_chain_hash_is_sha256_of_link_and_record():
    assert chain_hash("ab", '{"é":1}') == sha256('ab{"é":1}'.encode()).hexdigest()


@pytest.mark.parametrize("broken", [None, 0, 6, 7, 8, 19])
async def test_walk_over_many_pages_finds_the_same_index(store, monkeypatch, broken):
    monkeypatch.setattr(walk_module, "PAGE", 7)
    for n in range(20):
        await store.audit.append("acme", {"n": n})
    edit = audit.update().where(audit.c.idx == broken).values(record="{}")
    await store.transact(lambda connection: connection.execute(edit).close())
    verification = await store.audit.verify("acme")
    assert verification.first_broken_index == broken
    assert verification.total_records == (20 if broken is None else broken)


async def test_record_turned_into_bytes_reads_as_edited(store):
    await store.audit.append("acme", {"n": 1})
    await execute(store, "UPDATE audit SET record = x'00'")
    assert (await store.audit.verify("acme")).reason == "edited"


@pytest.mark.parametrize(
    "edit", ["record || ' '", "CAST(x'ff' AS TEXT)", "x''", "substr(record, 1, 3)", "CAST(record AS TEXT)"]
)
async def test_record_changed_in_any_way_reads_as_edited_or_as_it_was(store, edit):
    await store.audit.append("acme", {"n": 1})
    await execute(store, f"UPDATE audit SET record = {edit}")
    found = await store.audit.verify("acme")
    assert (found.intact, found.reason) == (
        (True, None) if edit.startswith("CAST(record") else (False, "edited")
    )


async def test_rewritten_chain_is_caught_by_a_noted_head(store):
    await store.audit.append("acme", {"n": 1})
    noted = (await store.audit.verify("acme")).head_hash
    record = canonical_json({"n": 2})
    forged = chain_hash(GENESIS_HASH, record)
    rewrite = audit.update().values(record=record, record_hash=forged)
    await store.transact(lambda connection: connection.execute(rewrite).close())
    await execute(store, f"UPDATE orgs SET chain_head = '{forged}', verified_head = '{forged}'")
    assert (await store.audit.verify("acme")).intact
    assert not (await store.audit.verify("acme", expect_head=noted)).intact


async def test_appending_within_a_transaction_counts_calls_only_when_asked(store):
    def append(connection) -> list[int]:
        return [
            append_entry(connection, "acme", {}, count_call=counted)[1] for counted in (True, False, True)
        ]

    assert await store.transact(append) == [1, 1, 2]


async def test_number_that_json_cannot_say_is_never_chained(store):
    with pytest.raises(ValueError):
        await store.audit.append("acme", {"x": float("nan")})
    assert await store.orgs.list() == []


async def test_same_link_cannot_be_used_twice(store):
    entry = await store.audit.append("acme", {})
    fork = f"INSERT INTO audit VALUES ('acme', 1, '{entry.prev_hash}', '', '{{}}', 0)"
    with pytest.raises(StoreError, match=r"UNIQUE constraint failed: audit\.org, audit\.prev_hash"):
        await execute(store, fork)


async def execute(store, statement: str) -> None:
    await store.transact(lambda connection: connection.exec_driver_sql(statement).close())
