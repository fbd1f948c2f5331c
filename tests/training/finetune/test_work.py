import os
from datetime import UTC, datetime
from pathlib import Path

from x25.graph.checkpoints import open_saver
from x25.graph.retention import forget_before
from x25.graph.run import open_cascade
from x25.graph.settings import load_settings
from x25.graph.training_days import TrainingDays
from x25.graph.training_folders import FILES
from x25.state.gathering import Gathering
from x25.state.store import open_store
from x25.training.finetune import work as module
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


def lines_of(folder):
    return [
        line
        for name in ("train.jsonl", "held_out.jsonl")
        for line in (Path(folder) / name).read_bytes().splitlines()
    ]


def folders_in(data_dir):
    return [path.name for path in (data_dir / "improve" / "acme").iterdir()]


async def ask(cascade, count):
    only = {"org": "acme", "policy": {"allowed_providers": ["sim-f"]}}
    replies = [
        await cascade.route({"prompt": f"What is {number} plus 2?", **only}) for number in range(count)
    ]
    await cascade.drain()
    return [reply["call_id"] for reply in replies]


async def test_a_call_that_is_erased_afterwards_leaves_the_folder_and_an_org_takes_it_along(
    tmp_path, simulator
):
    settings = load_settings(
        {},
        data_dir=tmp_path,
        upstream="simulator",
        simulator_url=simulator.url,
        store_prompts=True,
        judge="none",
    )
    async with open_cascade(settings, does_chores=False) as cascade:
        store = cascade.services.store
        ids = await ask(cascade, 6)
        folder = (await work(store, settings, await claimed(store, "acme", min_examples=2))).result["folder"]
        for number in (1, 4):
            erased = await cascade.erase("acme", ids[number])
            assert (erased.training.lines, erased.training.unsure) == (1, ())
            assert not [line for line in lines_of(folder) if f"What is {number} plus 2?".encode() in line]
        assert len(lines_of(folder)) == 4
        gone = await cascade.erase_org("acme")
        assert (gone.folders, gone.folders_left, folders_in(tmp_path)) == (1, (), [])


async def test_calls_that_are_erased_while_a_folder_is_written_are_not_in_it(
    tmp_path, simulator, monkeypatch
):
    settings = load_settings(
        {},
        data_dir=tmp_path,
        upstream="simulator",
        simulator_url=simulator.url,
        store_prompts=True,
        judge="none",
    )
    async with open_cascade(settings, does_chores=False) as cascade:
        store, gathering = cascade.services.store, module.gather
        ids, due = await ask(cascade, 4), []

        async def slow(*given):
            gathered = await gathering(*given)
            for call_id in due:
                assert await cascade.erase("acme", call_id)
            return gathered

        monkeypatch.setattr(module, "gather", slow)
        due[:] = ids[:1]
        done = await work(store, settings, await claimed(store, "acme", min_examples=2))
        assert sum(done.result["examples"].values()) == 3 == len(lines_of(done.result["folder"]))
        assert b"What is 0 plus 2?" not in b"".join(lines_of(done.result["folder"]))
        due[:] = ids[1:]
        failed = await work(store, settings, await claimed(store, "acme", min_examples=2))
        assert (failed.status, failed.detail) == (
            "failed",
            "every call that it was made of was erased meanwhile, or is older than its words are kept",
        )
        assert folders_in(tmp_path) == [Path(done.result["folder"]).name]


async def test_a_job_that_finds_too_little_says_so_and_writes_nothing(tmp_path):
    settings = load_settings({}, data_dir=tmp_path)
    async with open_saver(settings), await open_store(settings.store_url) as store:
        done = await work(store, settings, await claimed(store, "acme"))
    assert (done.status, done.result) == ("failed", None)
    assert "X25_STORE_PROMPTS=true" in done.detail
    assert not (tmp_path / "improve").exists()


async def test_calls_whose_words_pass_their_days_while_a_folder_is_written_are_not_in_it(
    tmp_path, simulator, monkeypatch
):
    settings = load_settings(
        {},
        data_dir=tmp_path,
        upstream="simulator",
        simulator_url=simulator.url,
        store_prompts=True,
        judge="none",
    )
    async with open_cascade(settings, does_chores=False) as cascade:
        store, gathering, due = cascade.services.store, module.gather, []
        ids = await ask(cascade, 4)
        times = [(await store.calls.get("acme", call_id)).created_at for call_id in ids]

        async def slow(*given):
            gathered = await gathering(*given)
            await forget_before(store, cascade.saver, TrainingDays(store, settings), "acme", due[0])
            return gathered

        monkeypatch.setattr(module, "gather", slow)
        due[:] = [times[2]]
        done = await work(store, settings, await claimed(store, "acme", min_examples=2))
        assert sum(done.result["examples"].values()) == 2 == len(lines_of(done.result["folder"]))
        assert all(
            b"What is 2 plus" in one or b"What is 3 plus" in one for one in lines_of(done.result["folder"])
        )
        due[:] = [datetime.now(UTC)]
        failed = await work(store, settings, await claimed(store, "acme", min_examples=2))
        assert (failed.status, "older than its words are kept" in failed.detail) == ("failed", True)
        assert lines_of(done.result["folder"]) == []
        assert folders_in(tmp_path) == [Path(done.result["folder"]).name]
