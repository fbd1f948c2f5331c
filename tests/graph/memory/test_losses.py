import asyncio
import logging
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from x25.graph.build import build_cascade
from x25.graph.memory import losses
from x25.graph.memory.losses import CheckpointWrites, sparing_saver, undo_of
from x25.state.errors import NotFound, StoreError

PROMPT = {"prompt": "What is 17 * 23?"}
LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] == "exclusive":
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("CREATE TABLE IF NOT EXISTS held (x)")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path, mode="plain"):
    """Another process holds the write lock of a file; in the exclusive mode nobody else can even read it."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(10)


class Clock:
    now_s = 1_000.0

    def __call__(self):
        return self.now_s


async def assert_answered_and_audited(cascade, calls=1):
    replies = await asyncio.gather(*(cascade.route(PROMPT) for _ in range(calls)))
    for reply in replies:
        assert reply["text"]
        logged = await cascade.services.store.calls.get("default", reply["call_id"])
        assert (logged.status, logged.record_hash) == ("answered", reply["audit_hash"])
    assert (await cascade.services.store.audit.verify("default")).intact
    await cascade.drain()  # checkpoints follow their answers
    return replies


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["exit", "sync"])
async def test_a_locked_file_costs_no_answer_and_soon_no_time(open_gateway, settings, durability, caplog):
    cascade = await open_gateway(checkpoints=durability)
    with locked(settings.data_dir / "checkpoints.db"):
        await assert_answered_and_audited(cascade, calls=5)
        began_s = monotonic()
        await assert_answered_and_audited(cascade, calls=5)
        assert monotonic() - began_s < 2.0
        assert cascade.checkpoint_writes.reason == "OperationalError: database is locked"
        assert cascade.degraded() == {"checkpoints": "OperationalError: database is locked"}
        assert cascade.checkpoint_writes.lost >= 10
    assert len([one for one in caplog.records if "could not be written" in one.message]) == 1
    cascade.checkpoint_writes._rests_until_s = 0.0  # the rest is over
    (reply,) = await assert_answered_and_audited(cascade)
    assert cascade.degraded() == {}
    assert await cascade.resume("default", reply["call_id"]) if durability == "sync" else True


@pytest.mark.slow
async def test_a_gateway_starts_and_answers_beside_a_file_nobody_else_may_even_read(open_gateway, settings):
    settings.data_dir.mkdir(exist_ok=True)
    with locked(settings.data_dir / "checkpoints.db", "exclusive"):
        cascade = await open_gateway()
        (reply,) = await assert_answered_and_audited(cascade)
        with pytest.raises(StoreError, match="cannot be read"):
            await cascade.resume("default", reply["call_id"])
    with pytest.raises(NotFound, match="no checkpoint of call"):
        await cascade.resume("default", reply["call_id"])


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["exit", "sync", "async"])
async def test_a_full_disk_costs_no_answer(open_gateway, durability):
    cascade = await open_gateway(checkpoints="sync" if durability == "async" else durability)
    cascade._durability = {"durability": durability}
    await cascade.saver.conn.execute("PRAGMA max_page_count=1")  # not below what there is: nothing more fits
    for _ in range(40):
        await assert_answered_and_audited(cascade)
        if cascade.checkpoint_writes.lost:
            break
    await assert_answered_and_audited(cascade, calls=3)
    assert cascade.checkpoint_writes.reason == "OperationalError: database or disk is full"
    await cascade.saver.conn.execute("PRAGMA max_page_count=1000000")
    cascade.checkpoint_writes._rests_until_s = 0.0
    await assert_answered_and_audited(cascade)
    assert cascade.checkpoint_writes.reason is None


# For root no file is read-only, until it gives the capability up (CAP_DAC_OVERRIDE, from the next program on).
AS_ANYBODY = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
"""
READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from x25.graph.run import open_cascade
from x25.graph.settings import load_settings

async def main():
    async with open_cascade(load_settings({}, data_dir=Path(sys.argv[1]), upstream="simulator",
                                          simulator_url=sys.argv[2], judge="none")) as cascade:
        reply = await cascade.route({"prompt": "hi"})
        call = await cascade.services.store.calls.get("default", reply["call_id"])
        await cascade.drain()
        print(call.status, "|", cascade.checkpoint_writes.reason)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_read_only_file_costs_no_answer(open_gateway, settings, simulator, tmp_path):
    cascade = await open_gateway()
    await cascade.route(PROMPT)
    folder = tmp_path / "read-only"
    folder.mkdir()
    with sqlite3.connect(settings.data_dir / "checkpoints.db") as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with sqlite3.connect(folder / "checkpoints.db") as copied:
            whole.backup(copied)
    (folder / "checkpoints.db").chmod(0o444)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", AS_ANYBODY, READ_ONLY, str(folder), simulator.url],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == "answered | OperationalError: attempt to write a readonly database\n", done.stderr


async def test_one_call_in_ten_seconds_finds_out_and_a_warning_comes_once_a_minute(caplog):
    clock, asked = Clock(), []

    async def refuse():
        asked.append(clock.now_s)
        raise sqlite3.OperationalError("database is locked")

    writes = CheckpointWrites(clock_s=clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(120):
            await writes.attempt(refuse)
            clock.now_s += 1.0
    assert (len(asked), writes.lost, writes.written) == (12, 120, 0)
    assert len(caplog.records) == 2


async def test_nobody_else_waits_while_one_call_finds_out(monkeypatch):
    monkeypatch.setattr(losses, "WAIT_S", 0.05)
    clock = Clock()
    writes = CheckpointWrites(clock_s=clock)
    began = 0

    async def hang():
        nonlocal began
        began += 1
        await asyncio.sleep(60)

    await writes.attempt(hang)
    assert writes.reason == "TimeoutError"
    clock.now_s += losses.REST_S
    await asyncio.gather(*(writes.attempt(hang) for _ in range(20)))
    assert (began, writes.lost) == (2, 21)


async def test_what_one_call_cannot_have_written_rests_nobody(caplog):
    async def refuse():
        raise TypeError("not serializable")

    writes = CheckpointWrites()
    await writes.attempt(refuse)
    assert (writes.lost, writes.reason) == (1, None)


async def test_a_saver_somebody_brings_along_fails_as_it_likes(chat_models):
    class Failing(InMemorySaver):
        async def aput(self, *_, **__):
            raise sqlite3.OperationalError("disk I/O error")

    graph = build_cascade(chat_models).compile(checkpointer=Failing())
    with pytest.raises(sqlite3.OperationalError):
        await graph.ainvoke({"prompt": "hi"}, {"configurable": {"thread_id": "t"}})


async def test_a_spared_saver_keeps_what_it_can_and_says_where(tmp_path):
    saver = InMemorySaver()
    assert undo_of(saver) is None
    writes = CheckpointWrites()
    sparing = sparing_saver(saver, writes)
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    checkpoint = {
        "v": 1,
        "id": "1",
        "ts": "",
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
    }
    assert await sparing.aput(config, checkpoint, {}, {}) == await saver.aput(config, checkpoint, {}, {})
    assert (await sparing.aget_tuple(config)).checkpoint["id"] == "1"
    assert writes.written == 1
