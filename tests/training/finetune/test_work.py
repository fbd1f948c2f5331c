import os
from datetime import UTC, datetime

from x25.graph.checkpoints import open_saver
from x25.graph.run import open_cascade
from x25.graph.settings import load_settings
from x25.graph.training_folders import FILES
from x25.state.gathering import Gathering
from x25.state.store import open_store
from x25.training.finetune.work import work

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def claimed(store, org: str, **wanted):
    job, _ = await store.improvements.ask(org, Gathering(**wanted).to_dict(), NOW)
    return await store.improvements.claim(NOW, job)


async def test_a_job_on_calls_of_a_real_gateway_writes_its_folder(tmp_path, simulator):
    settings = load_settings(
        {},
        data_dir=tmp_path,
        upstream="simulator",
        simulator_url=simulator.url,
        store_prompts=True,
        judge="none",
    )
    async with open_cascade(settings, does_chores=False) as cascade:
        for number in range(8):
            request = {
                "prompt": f"What is {number} plus 2?",
                "policy": {"allowed_providers": ["sim-f"]},
                "org": "acme",
            }
            await cascade.route(request)
        await cascade.drain()
        assert all(call.quality_score > 0.7 for call in await cascade.services.store.calls.list("acme", 10))
        done = await work(
            cascade.services.store, settings, await claimed(cascade.services.store, "acme", min_examples=2)
        )
    assert (done.status, done.detail) == ("done", None)
    assert done.result["examples"]["train"] + done.result["examples"]["held_out"] == 8
    assert done.result["is_simulated"]
    assert set(os.listdir(done.result["folder"])) == set(FILES)  # noqa: PTH208 - a test's own folder


async def test_a_job_that_finds_too_little_says_so_and_writes_nothing(tmp_path):
    settings = load_settings({}, data_dir=tmp_path)
    async with open_saver(settings), await open_store(settings.store_url) as store:
        done = await work(store, settings, await claimed(store, "acme"))
    assert (done.status, done.result) == ("failed", None)
    assert "X25_STORE_PROMPTS=true" in done.detail
    assert not (tmp_path / "improve").exists()
