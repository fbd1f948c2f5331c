"""How long checkpoints are kept."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from x25.graph.retention import (
    drop_old_checkpoints_for_ever,
    forget_as_orgs_say_for_ever,
    forget_before,
    forget_old_words_for_ever,
)
from x25.graph.training_days import TrainingDays
from x25.state.errors import StoreError
from x25.state.responses import KeptResponse


async def kept(saver):
    return [one async for one in saver.alist(None)]


async def test_old_checkpoints_go_after_the_days_that_the_settings_say(open_gateway):
    cascade = await open_gateway()
    for org in ("a", "b"):
        await cascade.route({"prompt": "hi", "org": org})
    await cascade.drain()
    later = datetime.now(UTC)
    for days, left in ((2, 2), (0.5, 0)):
        dropping = drop_old_checkpoints_for_ever(
            cascade.saver, days, lambda: later + timedelta(days=1), 0.001
        )
        task = asyncio.create_task(dropping)
        async with asyncio.timeout(10):
            while len(await kept(cascade.saver)) > left:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        assert len(await kept(cascade.saver)) == left


async def test_a_storage_that_fails_is_tried_again(open_gateway, caplog):
    cascade = await open_gateway()
    await cascade.route({"prompt": "hi"})
    await cascade.drain()
    await cascade.saver.conn.execute("ALTER TABLE checkpoints RENAME TO hidden")
    caplog.set_level(logging.WARNING)
    later = datetime.now(UTC) + timedelta(days=1)
    task = asyncio.create_task(drop_old_checkpoints_for_ever(cascade.saver, 0.5, lambda: later, 0.001))
    async with asyncio.timeout(10):
        while "could not be deleted" not in caplog.text:
            await asyncio.sleep(0.01)
        await cascade.saver.conn.execute("ALTER TABLE hidden RENAME TO checkpoints")
        while await kept(cascade.saver):
            await asyncio.sleep(0.01)
    task.cancel()


async def words_of(cascade, org):
    calls = await cascade.services.store.calls.list(org, 9)
    return [(call.prompt is not None, call.inputs is not None) for call in calls]


async def test_an_org_has_its_own_words_forgotten_after_its_own_days_and_keeps_its_log(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    store = cascade.services.store
    for org in ("a", "b"):
        await cascade.route({"prompt": "hi", "org": org})
    await cascade.drain()
    await store.org_settings.change("a", lambda _: {"retention_days": 0.5}, "")
    later = datetime.now(UTC) + timedelta(days=1)
    forgetting = forget_as_orgs_say_for_ever(
        store, cascade.saver, TrainingDays(store, cascade.settings), lambda: later, 0.001
    )
    task = asyncio.create_task(forgetting)
    async with asyncio.timeout(10):
        while await words_of(cascade, "a") != [(False, False)] or len(await kept(cascade.saver)) > 1:
            await asyncio.sleep(0.01)
    task.cancel()
    assert await words_of(cascade, "b") == [(True, True)]
    assert len(await kept(cascade.saver)) == 1
    assert (await store.calls.stats("a")).total_calls == 1
    assert (await store.audit.verify("a")).intact


async def test_what_is_younger_is_kept(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    store, before = cascade.services.store, datetime.now(UTC)
    training = TrainingDays(store, cascade.settings)
    await cascade.route({"prompt": "hi", "org": "a"})
    await cascade.drain()
    assert await forget_before(store, cascade.saver, training, "a", before) == 0
    assert (await words_of(cascade, "a"), len(await kept(cascade.saver))) == ([(True, True)], 1)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert await forget_before(store, None, training, "a", later) == 1
    assert len(await kept(cascade.saver)) == 1


async def test_old_words_go_after_the_days_that_the_settings_say(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    reply = await cascade.route({"prompt": "hi", "user_id": "ada"})
    await cascade.drain()
    store, later = cascade.services.store, datetime.now(UTC)
    training = TrainingDays(store, cascade.settings)

    async def prompt():
        return (await store.calls.get("default", reply["call_id"])).prompt

    for days, left in ((2, "hi"), (0.5, None)):
        task = asyncio.create_task(
            forget_old_words_for_ever(
                store, cascade.saver, training, days, lambda: later + timedelta(days=1), every_s=0.001
            )
        )
        async with asyncio.timeout(10):
            while await prompt() != left:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        assert await prompt() == left
        assert len(await kept(cascade.saver)) == (left is not None)


async def test_a_store_that_fails_is_asked_again(open_gateway, caplog, monkeypatch):
    cascade = await open_gateway(store_prompts=True)
    store = cascade.services.store
    asked = []

    async def forget(org, before):
        asked.append(before)
        if len(asked) == 1:
            raise StoreError("the disk is full")
        return 1

    monkeypatch.setattr(store.erasure, "forget", forget)
    caplog.set_level(logging.INFO)
    task = asyncio.create_task(
        forget_old_words_for_ever(
            store, None, TrainingDays(store, cascade.settings), 1, lambda: datetime.now(UTC), every_s=0.001
        )
    )
    async with asyncio.timeout(10):
        while len(asked) < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    assert "could not be deleted (the disk is full)" in caplog.text


async def test_a_gateway_erases_old_words_by_itself(open_gateway, settings):
    cascade = await open_gateway(store_prompts=True)
    reply = await cascade.route({"prompt": "hi"})
    await open_gateway(store_prompts=True, prompt_days=1e-9)
    async with asyncio.timeout(10):
        while (await cascade.services.store.calls.get("default", reply["call_id"])).prompt is not None:
            await asyncio.sleep(0.01)


async def test_a_gateway_drops_old_responses_by_itself(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    responses = cascade.services.store.responses
    call_id = (await cascade.route({"prompt": "hi", "org": "acme"}))["call_id"]
    await responses.keep("acme", call_id, KeptResponse([{"role": "user", "content": "hi"}], {}))
    assert await responses.get("acme", call_id, None) is not None
    await open_gateway(store_prompts=True, responses_days=1e-9)
    async with asyncio.timeout(10):
        while await responses.get("acme", call_id, None) is not None:
            await asyncio.sleep(0.01)
