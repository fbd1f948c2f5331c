import logging
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from x25.state.audit import erasure
from x25.state.audit.decisions import LoggedDecision
from x25.state.schema import attempts, audit, labels
from x25.state.store import open_store


@pytest.fixture
def files(tmp_path):
    """Return a function that reads every byte of the database, its log included."""

    def read() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(Path(tmp_path).glob("x25.db*")))

    return read


def decision(call, prompt):
    return LoggedDecision(
        call.call_id,
        call.org,
        call.created_at,
        "auto",
        "qa",
        "qa",
        0.5,
        1,
        2.0,
        1.0,
        {"selected": []},
        None,
        prompt,
    )


async def test_a_prompt_is_gone_from_every_byte_with_the_last_row_that_refers_to_it(store, make_call, files):
    canary = "a canary of its own"
    for n in range(300):  # so that pages split and rows move
        await store.calls.record(make_call(call_id=f"o{n}", prompt=f"other {n} " + "x" * (n * 7)), {"n": n})
    await store.calls.record(make_call(call_id="c1", prompt=canary), {"n": 1})
    await store.decisions.record(decision(make_call(call_id="d1"), canary), {"kind": "decision"})
    assert await store.erasure.delete("acme", "c1")
    assert (await store.history.get("acme", "d1")).row.prompt == canary
    assert await store.erasure.delete("acme", "d1")
    assert await store.erasure.rebuild()
    assert canary.encode() not in files()
    assert b"other 299" in files()


async def test_the_row_goes_and_the_chain_keeps_a_tombstone_and_verifies(
    store, make_call, make_attempt, files
):
    await store.attempts.start(make_attempt(response={"text": "a wordy answer"}), opens_call=True)
    await store.calls.record(make_call(user_id="ada-lovelace"), {"kind": "call", "policy": "secret-provider"})
    before = await store.audit.tail("acme", 1)
    spent = (await store.calls.stats("acme")).cost_nusd
    assert await store.erasure.delete("acme", "c1")
    first, said = await store.audit.tail("acme", 2)
    assert (first.record_hash, first.record) == (before[0].record_hash, {"kind": "erased"})
    assert said.record["entries"] == [[0, first.record_hash]]
    found = await store.audit.verify("acme")
    assert (found.intact, found.total_records, found.erased) == (True, 2, 1)
    assert (await store.audit.verify_new("acme")).intact
    assert await store.calls.get("acme", "c1") is None
    assert (await store.calls.stats("acme")).cost_nusd == spent
    (attempt,) = await store.attempts.for_call("acme", "c1")
    assert attempt.response is None
    assert await store.erasure.rebuild()
    for word in (b"ada-lovelace", b"a wordy answer"):
        assert word not in files()


async def test_whose_it_must_be_is_honoured_and_nothing_goes_twice(store, make_call):
    await store.calls.record(make_call(user_id="ada"), {"n": 1})
    assert not await store.erasure.delete("umbrella", "c1")
    assert not await store.erasure.delete("acme", "c1", user_id="bob")
    assert not await store.erasure.delete("acme", "c2")
    assert (await store.audit.verify("acme")).total_records == 1
    assert await store.erasure.delete("acme", "c1", user_id="ada")
    assert not await store.erasure.delete("acme", "c1")
    assert (await store.audit.verify("acme")).total_records == 2


async def test_labels_of_a_call_go_with_it(store, make_call, make_attempt):
    await store.attempts.start(make_attempt(), opens_call=True)
    await store.attempts.finish(make_attempt(status="finished", cost_nusd=1))
    await store.calls.record(make_call(), {"n": 1})
    await store.labels.add("acme", "c1", right=1.0, source="feedback", edges=(0.5,))
    assert await store.erasure.delete("acme", "c1")
    assert await store.query(lambda one: one.execute(select(labels)).all()) == []
    assert len(await store.query(lambda one: one.execute(select(attempts)).all())) == 1


@pytest.mark.parametrize("index", [0, 2])
async def test_a_record_that_was_blanked_without_an_entry_that_says_so_is_found(store, make_call, index):
    for n in range(4):
        await store.calls.record(make_call(call_id=f"c{n}"), {"n": n})
    await store.erasure.delete("acme", "c1")

    def blank(connection):
        entry = (audit.c.org == "acme") & (audit.c.idx == index)
        connection.execute(audit.update().where(entry).values(record='{"kind":"erased"}'))

    await store.transact(blank)
    found = await store.audit.verify("acme")
    assert (found.intact, found.first_broken_index) == (False, index)
    assert found.reason == "erased, and no later entry says so"


async def test_old_words_go_from_every_table_and_figures_stay(store, make_call, files):
    old = make_call(call_id="c1", prompt="old words", user_id="ada-lovelace", inputs=b"\x01\x02")
    new = replace(old, call_id="c2", prompt="new words", created_at=old.created_at + timedelta(days=2))
    for call in (old, new):
        await store.calls.record(call, {"n": call.call_id})
    await store.decisions.record(decision(make_call(call_id="d1"), "old question"), {"kind": "decision"})
    assert await store.erasure.forget("umbrella", old.created_at + timedelta(days=1)) == 0
    assert await store.erasure.forget("acme", old.created_at + timedelta(days=1)) == 2
    left = {one.row.call_id: one.row for one in (await store.history.recent("acme")).rows}
    assert (left["c1"].prompt, left["c1"].user_id, left["c1"].inputs) == (None, None, None)
    assert (left["c1"].cost_nusd, left["d1"].prompt) == (100, None)
    assert (left["c2"].prompt, left["c2"].user_id, left["c2"].inputs) == (
        "new words", "ada-lovelace", b"\x01\x02",
    )  # fmt: skip
    assert await store.erasure.rebuild()
    assert b"old words" not in files()
    assert b"old question" not in files()
    assert (await store.audit.verify("acme")).intact


async def test_a_log_that_cannot_be_emptied_is_told_and_the_deletion_stands(
    store, make_call, monkeypatch, caplog
):
    monkeypatch.setattr(erasure, "CLEANS", 2)
    monkeypatch.setattr(erasure, "clean_log", lambda _: False)
    await store.calls.record(make_call(), {"n": 1})
    caplog.set_level(logging.WARNING)
    assert await store.erasure.delete("acme", "c1")
    assert "until SQLite writes over it" in caplog.text


async def test_an_erased_call_is_gone_after_the_store_was_opened_anew(url, make_call):
    async with await open_store(url) as store:
        await store.calls.record(make_call(prompt="hello"), {"n": 1})
        await store.erasure.delete("acme", "c1")
    async with await open_store(url) as store:
        assert await store.history.count("acme") == 0
        assert (await store.audit.verify("acme")).erased == 1


async def test_whatever_rows_left_behind_as_pages_were_split_goes_when_the_file_is_written_anew(
    store, make_attempt, make_call, files
):
    """Long responses written into rows of random places make pages split; some copies survive their deletion."""
    rng = random.Random(5)
    for n in range(40):
        attempt = make_attempt(attempt_id=f"{rng.getrandbits(64):016x}", call_id=f"c{n}")
        await store.attempts.start(attempt, opens_call=True)
        words = {"text": f"canary {n} " + "x" * rng.choice((10, 300, 900))}
        await store.attempts.finish(replace(attempt, status="finished", cost_nusd=1, response=words))
        await store.calls.record(
            make_call(call_id=f"c{n}", prompt=f"canary {n} " * rng.choice((1, 30))), {"n": n}
        )
    for n in rng.sample(range(40), 40):
        assert await store.erasure.delete("acme", f"c{n}")
    assert await store.erasure.rebuild()
    assert b"canary" not in files()
    assert (await store.audit.verify("acme")).erased == 40
