import asyncio
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from x25.graph.refits import refit_command, work_off_one, working_off
from x25.graph.settings import load_settings, read_environment
from x25.state.store import open_store

SAYS_HELLO = [
    sys.executable,
    "-c",
    "import os; print('nice', os.getpriority(os.PRIO_PROCESS, 0) >= 0, os.environ['WORD'])",
]
FAILS = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
NEVER_ENDS = [
    sys.executable,
    "-c",
    "import sys; sys.stdin = None; import threading; threading.Event().wait()",
]


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def queue(store, org="acme", labelled=200):
    query = text("INSERT INTO jobs (org, labelled, status, created_at) VALUES (:org, :labelled, 'queued', 0)")
    await store.transact(
        lambda connection: connection.execute(query, {"org": org, "labelled": labelled}) and None
    )


def environ(**more):
    return read_environment(None) | more


async def test_without_a_job_nothing_is_started(store):
    assert await work_off_one(store, environ(), ["/no/such/program"]) is False


async def test_a_due_refit_is_run_once_and_what_it_said_is_kept(store):
    await queue(store)
    assert await work_off_one(store, environ(WORD="hello"), SAYS_HELLO) is True
    (job,) = await store.jobs.list("acme")
    assert (job.status, job.detail.strip()) == ("done", "nice True hello")
    assert await work_off_one(store, environ(WORD="hello"), SAYS_HELLO) is False


@pytest.mark.parametrize(
    ("command", "said"), [(FAILS, "no such luck"), (["/no/such/program"], "could not be started")]
)
async def test_a_refit_that_fails_is_noted_and_not_repeated(store, command, said):
    await queue(store)
    assert await work_off_one(store, environ(), command) is True
    (job,) = await store.jobs.list("acme")
    assert job.status == "failed"
    assert said in job.detail
    assert await work_off_one(store, environ(), command) is False


async def test_a_worker_that_is_stopped_stops_its_process_and_puts_the_job_back(store):
    await queue(store)
    worker = asyncio.create_task(work_off_one(store, environ(), NEVER_ENDS))
    while [job.status for job in await store.jobs.list("acme")] != ["running"]:
        await asyncio.sleep(0)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert [job.status for job in await store.jobs.list("acme")] == ["queued"]
    assert (await store.jobs.claim(datetime.now(UTC))).labelled == 200


async def test_a_worker_stopped_while_it_claims_puts_the_job_back(store):
    """The database may have given the job away before the worker hears of it."""
    await queue(store)
    for turns in range(40):
        worker = asyncio.create_task(work_off_one(store, environ(), NEVER_ENDS))
        for _ in range(turns):
            await asyncio.sleep(0)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker
        assert [job.status for job in await store.jobs.list("acme")] == ["queued"]


@pytest.mark.slow
async def test_the_worker_refits_for_real_while_the_gateway_is_open(tmp_path, monkeypatch):
    """A process of its own opens the same database, finds too few calls and says so."""
    monkeypatch.chdir(tmp_path)
    settings = load_settings({}, data_dir=tmp_path / "data")
    async with await open_store(settings.store_url) as store, working_off(store, settings, poll_s=0.01):
        await queue(store)
        async with asyncio.timeout(120):
            while (await store.jobs.list("acme"))[0].status in ("queued", "running"):
                await asyncio.sleep(0.05)
        (job,) = await store.jobs.list("acme")
    assert job.status == "done", job.detail
    assert '"decision": "too few calls"' in job.detail


@pytest.mark.parametrize(
    "changes", [{"auto_train": False}, {"store_inputs": False}, {"database_url": "sqlite+aiosqlite://"}]
)
async def test_where_settings_say_so_nobody_works(store, tmp_path, changes):
    settings = load_settings({}, **({"data_dir": tmp_path / "data"} | changes))
    before = asyncio.all_tasks()
    async with working_off(store, settings):
        assert asyncio.all_tasks() == before


def test_the_command_names_no_database():
    assert refit_command("acme")[1:] == ["-m", "x25", "train", "--from-log", "acme", "--json"]
