import asyncio
from datetime import UTC, datetime

import pytest

from x25.graph.improvements import Improver, ask_for_improvement, improving, is_in_memory
from x25.graph.settings import as_environment, load_settings, read_environment
from x25.state.errors import InvalidRequest
from x25.state.gathering import Gathering
from x25.state.store import open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return load_settings({}, data_dir=tmp_path, upstream="simulator")


@pytest.fixture
async def store(settings):
    async with await open_store(settings.store_url) as opened:
        yield opened


@pytest.fixture
def environ(settings):
    return read_environment(None) | as_environment(settings)


async def test_without_kept_prompts_the_setting_is_named_before_anything_is_queued(store):
    with pytest.raises(InvalidRequest, match="X25_STORE_PROMPTS=true"):
        await ask_for_improvement(store, "acme", Gathering(), NOW)
    assert await store.improvements.newest("acme") == []


async def test_an_org_that_opted_out_queues_nothing(store):
    await store.improvements.opt_out("acme", NOW)
    with pytest.raises(InvalidRequest, match="opted out"):
        await ask_for_improvement(store, "acme", Gathering(), NOW)


async def test_without_a_job_nothing_is_started(store):
    assert await Improver(store, {}).work_off_one() is False


@pytest.mark.slow
async def test_a_job_is_done_by_a_process_of_its_own_and_says_how_it_ended(store, environ):
    job, _ = await store.improvements.ask("acme", Gathering().to_dict(), NOW)
    assert await Improver(store, environ).work_off_one() is True
    ended = await store.improvements.get("acme", job.job_id)
    assert ended.status == "failed"
    assert "0 of the 0 calls of 'acme' can be trained on, 50 are needed" in ended.detail


@pytest.mark.slow
async def test_a_process_that_breaks_ends_its_job_with_what_it_said(store, environ):
    job, _ = await store.improvements.ask("acme", Gathering().to_dict(), NOW)
    assert await Improver(store, environ | {"X25_NO_SUCH": "1"}).work_off_one() is True
    ended = await store.improvements.get("acme", job.job_id)
    assert (ended.status, ended.result) == ("failed", None)
    assert "X25_NO_SUCH" in ended.detail


async def test_a_worker_that_is_stopped_puts_its_job_back(store, environ, monkeypatch):
    job, _ = await store.improvements.ask("acme", Gathering().to_dict(), NOW)

    async def waits(*_: object) -> None:
        await asyncio.Event().wait()

    improver = Improver(store, environ)
    monkeypatch.setattr(improver, "_run", waits)
    work = asyncio.create_task(improver.work_off_one())
    async with asyncio.timeout(5):
        while (await store.improvements.get("acme", job.job_id)).status != "running":
            await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await store.improvements.get("acme", job.job_id)).status == "queued"


@pytest.mark.parametrize("turns", range(0, 40, 4))
async def test_a_worker_stopped_while_it_claims_puts_the_job_back(store, environ, turns, monkeypatch):
    job, _ = await store.improvements.ask("acme", Gathering().to_dict(), NOW)

    async def waits(*_: object) -> None:
        await asyncio.Event().wait()

    improver = Improver(store, environ)
    monkeypatch.setattr(improver, "_run", waits)
    work = asyncio.create_task(improver.work_off_one())
    for _ in range(turns):
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await store.improvements.get("acme", job.job_id)).status == "queued"


@pytest.mark.slow
async def test_a_job_asked_for_here_is_begun_at_once(store, settings):
    async with improving(store, settings) as improver:
        await asyncio.sleep(0.05)
        job, _ = await store.improvements.ask("acme", Gathering().to_dict(), NOW)
        improver.wake()
        async with asyncio.timeout(20):
            while (await store.improvements.get("acme", job.job_id)).finished_at is None:
                await asyncio.sleep(0.05)


async def test_a_store_in_memory_has_no_worker(tmp_path):
    settings = load_settings({}, data_dir=tmp_path, database_url="sqlite+aiosqlite://")
    assert is_in_memory(settings)
    async with await open_store(settings.store_url) as store, improving(store, settings) as improver:
        assert improver is None
