"""Lines whose calls' words passed their days leave folders of training data, whoever had the log forget them."""

import asyncio
import json
import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from x25.graph.chores import doing_chores
from x25.graph.retention import forget_before
from x25.graph.training_days import TrainingDays
from x25.graph.training_erasure import facts_of
from x25.graph.training_folders import CALLS, folder_of, part_of


def make(settings, call_ids, org="acme", job_id="j1", *, indexed=True):
    """Write a folder as a job does, a line a call."""
    folder = folder_of(settings, org, job_id)
    folder.mkdir(parents=True)
    lines = [json.dumps({"instruction": f"Words of {one}", "input": "", "output": "x"}) for one in call_ids]
    (folder / "train.jsonl").write_text("".join(f"{line}\n" for line in lines))
    rows = [
        {"call_id": one, "file": "train.jsonl", "sha256": sha256(line.encode()).hexdigest()}
        for one, line in zip(call_ids, lines, strict=True)
    ]
    if indexed:
        (folder / CALLS).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    manifest = {"examples": {"train": len(lines)}, "files": {"train.jsonl": {}, CALLS: {}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def kept_of(folder):
    return [json.loads(line)["instruction"][9:] for line in (folder / "train.jsonl").read_text().splitlines()]


@pytest.fixture
async def opened(open_gateway):
    """A gateway that keeps words, with two older and two younger calls of an org, and the time between them."""
    cascade = await open_gateway(store_prompts=True)

    async def ask(org="acme"):
        return (await cascade.route({"prompt": "hi", "org": org}))["call_id"]

    older = [await ask(), await ask()]
    between = datetime.now(UTC)
    younger = [await ask(), await ask()]
    await cascade.drain()
    return cascade, older, between, younger


async def test_only_older_calls_leave_only_their_orgs_folders_and_the_manifest_proves_the_rest(opened):
    cascade, older, between, younger = opened
    store, settings = cascade.services.store, cascade.settings
    other = (await cascade.route({"prompt": "hi", "org": "other"}))["call_id"]
    folders = [make(settings, older + younger, job_id=name) for name in ("j1", "j2")]
    of_other = make(settings, [other], org="other")
    assert await forget_before(store, None, TrainingDays(store, settings), "acme", between) == 2
    for folder in folders:
        assert kept_of(folder) == younger
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (manifest["examples"]["train"], manifest["erased"]) == (2, 2)
        for name in ("train.jsonl", CALLS):
            assert manifest["files"][name] == facts_of((folder / name).read_bytes())
        assert not any(one in (folder / CALLS).read_text() for one in older)
    assert kept_of(of_other) == [other]


async def test_the_days_of_the_gateway_hold_for_every_org(opened):
    cascade, older, _, younger = opened
    store, settings = cascade.services.store, cascade.settings
    other = (await cascade.route({"prompt": "hi", "org": "other"}))["call_id"]
    folders = [make(settings, older + younger), make(settings, [other], org="other")]
    await forget_before(store, None, TrainingDays(store, settings), None, datetime.now(UTC))
    assert [kept_of(folder) for folder in folders] == [[], []]


async def test_what_another_process_had_the_log_forget_goes_too(opened):
    cascade, older, between, younger = opened
    store, settings = cascade.services.store, cascade.settings
    folder = make(settings, older + younger)
    await store.erasure.forget("acme", between)  # and then it died, or has another data folder
    assert kept_of(folder) == older + younger
    assert (await TrainingDays(store, settings).pass_by()).lines == 2
    assert kept_of(folder) == younger
    assert (await TrainingDays(store, settings).pass_by()).lines == 0


@pytest.mark.parametrize("how", ["org", "gateway"])
async def test_a_gateway_does_so_by_itself(opened, how):
    cascade, older, between, younger = opened
    folder = make(cascade.settings, older + younger)
    services = replace(cascade.services, now=lambda: between + timedelta(days=1))
    settings = cascade.settings.model_copy(update={"prompt_days": 1.0 if how == "gateway" else 0.0})
    if how == "org":
        await services.store.org_settings.change("acme", lambda _: {"retention_days": 1}, "")

    class Idle:
        async def look_for_ever(self, every_s):
            pass

    async with doing_chores(services, Idle(), cascade.saver, settings), asyncio.timeout(10):
        while kept_of(folder) != younger:
            await asyncio.sleep(0.01)


async def test_calls_that_the_log_does_not_know_and_those_it_keeps_stay(opened):
    cascade, older, _, younger = opened
    folder = make(cascade.settings, [*older, *younger, "unknown"])
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    found = await TrainingDays(cascade.services.store, cascade.settings).pass_by(None, datetime.now(UTC))
    assert (found.lines, found.unsure) == (0, ())
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


async def test_a_folder_that_does_not_say_of_which_calls_it_is_goes_once_it_is_as_old(opened, caplog):
    cascade, older, _, _ = opened
    store, settings = cascade.services.store, cascade.settings
    unindexed = make(settings, older, indexed=False)
    unreadable = make(settings, older, job_id="j2")
    (unreadable / CALLS).write_text('{"call_id"')
    training = TrainingDays(store, settings)
    await training.pass_by("acme", datetime.now(UTC) - timedelta(days=1))
    assert (unindexed.exists(), unreadable.exists()) == (True, True)
    await training.pass_by("acme")
    assert (unindexed.exists(), unreadable.exists()) == (True, True)
    await training.pass_by("acme", datetime.now(UTC) + timedelta(seconds=1))
    assert (unindexed.exists(), unreadable.exists()) == (False, False)


async def test_a_folder_that_is_being_written_is_left_to_its_writer_and_one_left_behind_goes(opened):
    cascade, *_ = opened
    begun, left = (part_of(folder_of(cascade.settings, "acme", name)) for name in ("j2", "j3"))
    for part in (begun, left):
        part.mkdir(parents=True)
        (part / "train.jsonl").write_text("words")
    os.utime(left, (1.0, 1.0))
    await TrainingDays(cascade.services.store, cascade.settings).pass_by()
    assert (begun.exists(), left.exists()) == (True, False)


async def test_what_may_be_left_is_told_once(opened, caplog):
    cascade, older, _, younger = opened
    store, settings = cascade.services.store, cascade.settings
    folder = make(settings, older + younger)
    text = (folder / "train.jsonl").read_text()
    (folder / "train.jsonl").write_text(text.replace(f"Words of {older[0]}", f"Other of {older[0]}"))
    await store.erasure.forget("acme", datetime.now(UTC))
    caplog.set_level(logging.WARNING)
    training = TrainingDays(store, settings)
    for _ in range(3):
        assert len((await training.pass_by()).unsure) == 1
    assert caplog.text.count("a line was changed since it was written") == 1
