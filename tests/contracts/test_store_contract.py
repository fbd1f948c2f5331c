"""What the store promises on every database."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from x25.state.audit.chain import GENESIS_HASH, append_entry, chain_hash
from x25.state.column_types import canonical_json
from x25.state.errors import ChainBroken, StoreError, Unauthorized
from x25.state.lessons import Watch
from x25.state.records import Attempt, Call, Evidence
from x25.state.schema import metadata
from x25.state.store import Store, open_store

START = datetime(2025, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAMAGES = {
    "edit": ("UPDATE audit SET record = '{\"n\":99}' WHERE org = 'acme' AND idx = 4", 4, "edited"),
    "edited hash": ("UPDATE audit SET record_hash = prev_hash WHERE org = 'acme' AND idx = 4", 4, "edited"),
    "edited link": (
        f"UPDATE audit SET prev_hash = '{'a' * 64}' WHERE org = 'acme' AND idx = 4",
        4,
        "out of order",
    ),
    "deletion": ("DELETE FROM audit WHERE org = 'acme' AND idx = 4", 4, "missing"),
    "first deleted": ("DELETE FROM audit WHERE org = 'acme' AND idx = 0", 0, "missing"),
    "tail cut off": ("DELETE FROM audit WHERE org = 'acme' AND idx >= 7", 7, "tail cut off"),
    "all deleted": ("DELETE FROM audit WHERE org = 'acme'", 0, "tail cut off"),
    "head rewound": ("UPDATE orgs SET chain_length = 7 WHERE org = 'acme'", 6, "differs from the head"),
    "head replaced": (
        f"UPDATE orgs SET chain_head = '{'b' * 64}' WHERE org = 'acme'",
        9,
        "differs from the head",
    ),
    "head deleted": ("DELETE FROM orgs WHERE org = 'acme'", 0, "not counted by the head"),
}


def make_call(call_id: str, org: str = "acme", **changes: Any) -> Call:
    call = Call(
        call_id=call_id, org=org, created_at=START, status="answered", task_type="code", task_cell="code",
        difficulty=0.3, model_id="v/small", provider="v", tier="slm", cost_nusd=1_000, judge_cost_nusd=10,
        reference_cost_nusd=5_000, quality_score=0.9, quality_source="judge", latency_ms=12.5,
        cascade_steps=1, escalations=0, fallbacks=0, propensity=0.5, router="auto", simulated=False,
        record_hash="", decision={"chosen": "v/small", "draws": [0.25, 0.5]}, prompt="hello",
    )  # fmt: skip
    return replace(call, **changes)


def make_attempt(attempt_id: str, call_id: str = "c1", org: str = "acme", **changes: Any) -> Attempt:
    attempt = Attempt(
        attempt_id=attempt_id, org=org, call_id=call_id, step=0, kind="answer", model_id="v/small",
        tier="slm", deployment="main", status="started", reserved_nusd=500, started_at=START,
    )  # fmt: skip
    return replace(attempt, **changes)


async def learn(store: Store, call_id: str, *, org: str = "acme", step: int = 0, **changes: Any) -> bool:
    lesson: dict[str, Any] = {
        "task_cell": "code", "model_id": "v/small", "tier": "slm", "success": 0.75, "failure": 0.25,
        "selection": (0.75, 0.5), "org_calls": 0, "gamma": 0.5,
    }  # fmt: skip
    return await store.posteriors.add_evidence(org, call_id, step, **(lesson | changes))


async def execute(store: Store, *statements: str) -> None:
    def execute_all(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    await store.transact(execute_all)


async def fill(store: Store, entries: int = 10, org: str = "acme") -> None:
    for n in range(entries):
        await store.audit.append(org, {"n": n})


async def test_migrated_schema_equals_the_tables(store: Store):
    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    assert await store.query(differences) == []


async def test_reopening_keeps_what_was_written(database_url: str):
    async with await open_store(database_url) as store:
        await fill(store, 3)
    async with await open_store(database_url) as store:
        assert (await store.audit.verify("acme")).total_records == 3


async def test_stores_opened_at_once_migrate_once(database_url: str):
    stores = await asyncio.gather(*(open_store(database_url) for _ in range(4)))
    await asyncio.gather(*(fill(store, 2) for store in stores))
    assert (await stores[0].audit.verify("acme")).total_records == 8
    await asyncio.gather(*(store.close() for store in stores))


async def test_database_of_a_newer_version_is_refused(database_url: str):
    async with await open_store(database_url) as store:
        await execute(store, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer version of x25"):
        await open_store(database_url)


# audit


async def test_concurrent_appends_form_one_intact_line(store: Store):
    entries = await asyncio.gather(*(store.audit.append("acme", {"n": n}) for n in range(60)))
    assert sorted(entry.index for entry in entries) == list(range(60))
    verification = await store.audit.verify("acme")
    assert (verification.intact, verification.total_records) == (True, 60)
    assert verification.head_hash == max(entries, key=lambda entry: entry.index).record_hash


async def test_each_entry_hashes_the_one_before_it(store: Store):
    await fill(store, 3)
    previous = GENESIS_HASH
    for n, entry in enumerate(await store.audit.tail("acme", 10)):
        assert (entry.index, entry.prev_hash, entry.record) == (n, previous, {"n": n})
        assert entry.record_hash == chain_hash(previous, canonical_json({"n": n}))
        previous = entry.record_hash


async def test_tail_returns_the_newest_entries_oldest_first(store: Store):
    await fill(store, 5)
    assert [entry.index for entry in await store.audit.tail("acme", 2)] == [3, 4]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_verification_names_the_first_broken_index(store: Store, damage: str):
    await fill(store)
    statement, index, reason = DAMAGES[damage]
    await execute(store, statement)
    verification = await store.audit.verify("acme")
    assert (verification.intact, verification.first_broken_index, verification.reason) == (
        False,
        index,
        reason,
    )


async def test_swapped_entries_are_found_at_the_first_of_them(store: Store):
    await fill(store)
    moves = ((3, 100), (6, 3), (100, 6))
    await execute(
        store, *(f"UPDATE audit SET idx = {to} WHERE org = 'acme' AND idx = {at}" for at, to in moves)
    )
    verification = await store.audit.verify("acme")
    assert (verification.first_broken_index, verification.reason) == (3, "out of order")


@pytest.mark.parametrize("index", [10, -1])
async def test_inserted_entry_outside_the_head_is_found(store: Store, index: int):
    await fill(store)
    head = (await store.audit.verify("acme")).head_hash
    record_hash = chain_hash(head, "{}")
    insert = f"INSERT INTO audit VALUES ('acme', {index}, '{head}', '{record_hash}', '{{}}', 0)"
    await execute(store, insert)
    verification = await store.audit.verify("acme")
    assert (verification.first_broken_index, verification.reason) == (index, "not counted by the head")


async def test_entry_squeezed_into_the_middle_is_found_there(store: Store):
    await fill(store)
    shift = (f"UPDATE audit SET idx = {at + 1} WHERE org = 'acme' AND idx = {at}" for at in range(9, 4, -1))
    forged = chain_hash("c" * 64, "{}")
    insert = f"INSERT INTO audit VALUES ('acme', 5, '{'c' * 64}', '{forged}', '{{}}', 0)"
    await execute(store, *shift, insert, "UPDATE orgs SET chain_length = 11 WHERE org = 'acme'")
    verification = await store.audit.verify("acme")
    assert (verification.first_broken_index, verification.reason) == (5, "out of order")


async def test_head_noted_earlier_must_still_be_in_the_chain(store: Store):
    await fill(store, 3)
    noted = (await store.audit.verify("acme")).head_hash
    await fill(store, 3)
    assert (await store.audit.verify("acme", expect_head=noted)).intact
    verification = await store.audit.verify("acme", expect_head="d" * 64)
    assert (verification.intact, verification.reason) == (False, "expected head not in the chain")


async def test_org_without_entries_is_intact(store: Store):
    verification = await store.audit.verify("nobody")
    assert (verification.intact, verification.total_records, verification.head_hash) == (
        True,
        0,
        GENESIS_HASH,
    )


async def test_verify_all_finds_the_one_broken_chain(store: Store):
    for org in ("acme", "beta", "corp"):
        await fill(store, 4, org)
    await execute(store, "UPDATE audit SET record = '{}' WHERE org = 'beta' AND idx = 1", "DELETE FROM orgs "
                  "WHERE org = 'corp'")  # fmt: skip
    outcome = {v.org: (v.intact, v.first_broken_index) for v in await store.audit.verify_all()}
    assert outcome == {"acme": (True, None), "beta": (False, 1), "corp": (False, 0)}


async def test_chain_whose_head_was_rewound_cannot_fork(store: Store):
    await fill(store, 3)
    first = (await store.audit.tail("acme", 3))[0]
    rewind = f"UPDATE orgs SET chain_length = 7, chain_head = '{first.record_hash}' WHERE org = 'acme'"
    await execute(store, rewind)
    with pytest.raises(ChainBroken, match="'acme' cannot be extended at index 7"):
        await store.audit.append("acme", {"n": 1})
    with pytest.raises(ChainBroken):
        await store.calls.record(make_call("c1"), {"n": 1})
    assert await store.calls.get("acme", "c1") is None


async def test_text_no_database_keeps_is_still_recorded(store: Store):
    record = {"text": "nul \x00, surrogate \ud800, é 漢 😀"}
    await store.calls.record(make_call("c1", prompt="a\x00b\udc00"), record)
    assert (await store.audit.tail("acme", 1))[0].record == record
    assert (await store.audit.verify("acme")).intact
    assert (await store.calls.get("acme", "c1")).prompt == "a\ufffdb\ufffd"


# calls


async def test_call_reads_back_as_written_with_the_hash_of_its_entry(store: Store):
    call = make_call("c1", created_at=START.astimezone(UTC) + timedelta(microseconds=1))
    entry, call_count = await store.calls.record(call, {"call": "c1"})
    assert call_count == 1
    assert await store.calls.get("acme", "c1") == replace(call, record_hash=entry.record_hash)


async def test_recording_twice_returns_the_first_entry_and_counts_once(store: Store):
    first = await store.calls.record(make_call("c1"), {"take": 1})
    await store.calls.record(make_call("c2"), {"take": 1})
    entry, call_count = await store.calls.record(make_call("c1", cost_nusd=9), {"take": 2})
    assert (entry, call_count) == (first[0], 2)
    assert await store.orgs.call_count("acme") == 2
    assert (await store.audit.verify("acme")).total_records == 2
    assert (await store.calls.get("acme", "c1")).cost_nusd == 1_000


async def test_same_call_recorded_at_once_is_one_call(store: Store):
    outcomes = await asyncio.gather(*(store.calls.record(make_call("c1"), {"n": n}) for n in range(12)))
    assert len({entry.record_hash for entry, _ in outcomes}) == 1
    assert (await store.audit.verify("acme")).total_records == await store.orgs.call_count("acme") == 1


async def test_concurrent_calls_are_all_counted(store: Store):
    outcomes = await asyncio.gather(*(store.calls.record(make_call(f"c{n}"), {"n": n}) for n in range(40)))
    assert sorted(count for _, count in outcomes) == list(range(1, 41))


async def test_calls_are_listed_newest_first_before_a_time(store: Store):
    for n in range(4):
        await store.calls.record(make_call(f"c{n}", created_at=START + timedelta(seconds=n)), {})
    assert [call.call_id for call in await store.calls.list("acme", 2)] == ["c3", "c2"]
    assert [call.call_id for call in await store.calls.list("acme", 9, START + timedelta(seconds=2))] == [
        "c1",
        "c0",
    ]


async def test_forgetting_erases_old_texts_and_nothing_else(store: Store):
    later = START + timedelta(days=1)
    for call_id, org, at in (("old", "acme", START), ("new", "acme", later), ("old", "beta", START)):
        await store.calls.record(make_call(call_id, org, created_at=at), {"id": call_id})
        await store.attempts.start(
            make_attempt(f"{org}-{call_id}", call_id, org, started_at=at, response={"text": "hi"})
        )
    stats = await store.calls.stats(None)
    assert await store.erasure.forget("acme", later) == 1
    assert (await store.calls.get("acme", "old")).prompt is None
    assert (await store.attempts.for_call("acme", "old"))[0].response is None
    for org, call_id in (("acme", "new"), ("beta", "old")):
        assert (await store.calls.get(org, call_id)).prompt == "hello"
        assert (await store.attempts.for_call(org, call_id))[0].response == {"text": "hi"}
    assert await store.erasure.forget(None, later + timedelta(days=1)) == 2
    assert await store.calls.stats(None) == stats
    assert all(verification.intact for verification in await store.audit.verify_all())


# attempts


async def test_attempt_is_reserved_then_settled(store: Store):
    started = make_attempt("a1")
    await store.attempts.start(started)
    assert await store.attempts.for_call("acme", "c1") == [started]
    assert await store.attempts.spent_nusd("acme") == 500
    finished = replace(
        started, status="finished", cost_nusd=123, cost_source="reported", prompt_tokens=7, cached_tokens=2,
        completion_tokens=5, reasoning_tokens=1, latency_ms=8.25, response={"text": "é"},
        finished_at=START + timedelta(seconds=1),
    )  # fmt: skip
    await store.attempts.finish(finished)
    assert await store.attempts.for_call("acme", "c1") == [finished]
    assert await store.attempts.spent_nusd("acme") == 123


async def test_interrupted_attempt_stays_counted_as_spent(store: Store):
    await store.attempts.start(make_attempt("a1"))
    await store.attempts.finish(make_attempt("a1", status="interrupted", error="interrupted"))
    await store.attempts.start(make_attempt("a2", reserved_nusd=10**15))
    assert await store.attempts.spent_nusd("acme") == 500 + 10**15
    assert [a.attempt_id for a in await store.attempts.for_call("acme", "c1")][-1] == "a2"


async def test_attempts_of_a_call_come_in_the_order_they_were_made(store: Store):
    for n, (step, kind) in enumerate([(0, "answer"), (0, "answer"), (0, "judge"), (1, "answer")]):
        started_at = START + timedelta(seconds=n)
        await store.attempts.start(make_attempt(f"a{n}", step=step, kind=kind, started_at=started_at))
    assert [a.attempt_id for a in await store.attempts.for_call("acme", "c1")] == ["a0", "a1", "a2", "a3"]


async def test_calls_begun_and_never_recorded_are_open(store: Store):
    await store.attempts.start(make_attempt("a1", "lost"))
    await store.attempts.start(make_attempt("a2", "recorded"))
    await store.calls.record(make_call("recorded"), {})
    await store.attempts.start(make_attempt("a5", "recorded", org="beta"))
    found = [(call.org, call.call_id, is_alive) for call, is_alive in await store.open_calls.list()]
    assert sorted(found) == [("acme", "lost", False), ("beta", "recorded", False)]


# posteriors


async def test_concurrent_evidence_loses_nothing(store: Store):
    steps = [(f"c{n}", n) for n in range(200)]
    watch = Watch(fast_gamma=1.0)
    added = await asyncio.gather(
        *(learn(store, call, org_calls=n, gamma=1.0, watch=watch) for call, n in steps)
    )
    assert all(added)
    assert (await store.posteriors.read("acme", "code"))["v/small"] == Evidence(
        "v/small", "code", "slm", successes=150.0, failures=50.0, reward_sum=150.0, predicted_sum=100.0,
        weight=200.0, calls_seen=199, reward_total=150.0, predicted_total=100.0, weight_total=200.0,
        fast_reward=150.0, fast_predicted=100.0, fast_weight=200.0,
    )  # fmt: skip


async def test_same_evidence_delivered_twenty_times_counts_once(store: Store):
    added = await asyncio.gather(*(learn(store, "c1") for _ in range(20)))
    assert sum(added) == 1
    evidence = (await store.posteriors.read("acme", "code"))["v/small"]
    assert (evidence.successes, evidence.failures, evidence.weight) == (0.75, 0.25, 1.0)
    assert await learn(store, "c1", step=1)


async def test_selection_sums_are_discounted_by_the_calls_between(store: Store):
    await learn(store, "c1", org_calls=10)
    await learn(store, "c2", org_calls=12, selection=None)
    await learn(store, "c3", org_calls=13, selection=(1.0, 0.25))
    evidence = (await store.posteriors.read("acme", "code"))["v/small"]
    assert evidence.reward_sum == pytest.approx(0.75 * 0.5**3 + 1.0)
    assert evidence.predicted_sum == pytest.approx(0.5 * 0.5**3 + 0.25)
    assert evidence.weight == pytest.approx(0.5**3 + 1)
    assert (evidence.successes, evidence.calls_seen) == (2.25, 13)


async def test_late_evidence_neither_discounts_nor_turns_the_count_back(store: Store):
    await learn(store, "c1", org_calls=10)
    await learn(store, "c2", org_calls=7)
    evidence = (await store.posteriors.read("acme", "code"))["v/small"]
    assert (evidence.weight, evidence.calls_seen) == (2.0, 10)


async def test_evidence_is_read_for_the_asked_cell_and_models(store: Store):
    for n, (cell, model) in enumerate([("code", "v/small"), ("code", "v/big"), ("qa", "v/small")]):
        await learn(store, f"c{n}", task_cell=cell, model_id=model)
    assert set(await store.posteriors.read("acme", "code")) == {"v/small", "v/big"}
    assert set(await store.posteriors.read("acme", "code", ["v/big", "v/new"])) == {"v/big"}
    assert await store.posteriors.read("acme", "code", []) == {}
    cells = [(e.task_cell, e.model_id) for e in await store.posteriors.read_all("acme")]
    assert cells == [("code", "v/big"), ("code", "v/small"), ("qa", "v/small")]


async def test_absurd_evidence_reads_as_none(store: Store):
    await learn(store, "c1")
    await execute(store, "UPDATE posteriors SET successes = 1e12")
    assert await store.posteriors.read("acme", "code") == {"v/small": Evidence("v/small", "code")}


# orgs and keys


async def test_orgs_never_see_each_other(store: Store):
    for org in ("acme", "beta"):
        await store.calls.record(make_call("c1", org, prompt=org), {"org": org})
        await store.attempts.start(make_attempt(f"{org}-1", org=org))
        await learn(store, "c1", org=org, success=1.0 if org == "acme" else 0.0)
        await store.keys.create(org)
    await store.calls.record(make_call("c2", "beta"), {"org": "beta"})
    assert await store.orgs.list() == ["acme", "beta"]
    assert [await store.orgs.call_count(org) for org in ("acme", "beta", "nobody")] == [1, 2, 0]
    assert [entry.record for entry in await store.audit.tail("acme", 9)] == [{"org": "acme"}]
    assert [call.prompt for call in await store.calls.list("acme", 9)] == ["acme"]
    assert await store.calls.get("acme", "c2") is None
    assert (await store.calls.stats("acme")).total_calls == 1
    assert [attempt.attempt_id for attempt in await store.attempts.for_call("acme", "c1")] == ["acme-1"]
    assert await store.attempts.spent_nusd("acme") == 500
    assert [evidence.successes for evidence in await store.posteriors.read_all("acme")] == [1.0]
    assert [key.org for key in await store.keys.list("acme")] == ["acme"]


async def test_key_opens_until_it_is_revoked(store: Store):
    secret, key = await store.keys.create("acme", rate_limit_rpm=60)
    assert await store.keys.authenticate(secret) == key
    assert await store.keys.revoke(key.key_id)
    with pytest.raises(Unauthorized, match="revoked"):
        await store.keys.authenticate(secret)
    assert not await store.keys.revoke(key.key_id)
    assert (await store.keys.list("acme"))[0].revoked_at is not None


async def test_secret_of_a_key_is_stored_nowhere(store: Store):
    secret, _ = await store.keys.create("acme")
    rows = await store.query(lambda connection: connection.execute(text("SELECT * FROM keys")).all())
    assert len(rows) == 1
    assert secret not in json.dumps([list(row) for row in rows])


# transactions


async def test_failed_transaction_leaves_nothing_behind(store: Store):
    def append_then_fail(connection: Connection) -> None:
        append_entry(connection, "acme", {})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.transact(append_then_fail)
    assert await store.orgs.list() == []
    assert await store.audit.tail("acme", 9) == []


async def test_cancelled_writer_leaves_a_usable_store(store: Store):
    tasks = [asyncio.create_task(store.calls.record(make_call(f"c{n}"), {"n": n})) for n in range(30)]
    await store.calls.record(make_call("first"), {})
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    verification = await store.audit.verify("acme")
    assert verification.intact
    assert verification.total_records == (await store.calls.stats("acme")).total_calls
    assert verification.total_records >= 16
