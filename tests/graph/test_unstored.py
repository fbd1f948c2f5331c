"""What is left of a call whose request says `store: false`: what an org's privacy `hashes` keeps, and no more."""

import asyncio
from pathlib import Path

import pytest

from x25.graph.feedback import _keeps_words
from x25.graph.question import Question
from x25.state.errors import NotFound

CANARY = "zebrafish-in-the-attic"
ASKED = {"prompt": f"Say {CANARY} once.", "org": "acme"}
UNSTORED = {"options": {"store": False}}


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("checkpoints", ["exit", "sync"])
@pytest.mark.parametrize("executor", ["auto", "langgraph"])
async def test_no_word_of_it_is_written_wherever_words_are_kept(
    open_gateway, settings, executor, checkpoints
):
    cascade = await open_gateway(store_prompts=True, checkpoints=checkpoints, executor=executor)
    asked = {**ASKED, **UNSTORED, "cache": "exact", "memory": {"enabled": True}, "user_id": "ada"}
    reply = await cascade.route(asked)
    assert reply["text"]
    is_walked = (executor, checkpoints) == ("auto", "exit")
    assert (cascade._unkept is None) == is_walked  # directly, as any other call
    await cascade.drain()
    store = cascade.services.store
    assert CANARY.encode() not in every_byte(settings.data_dir)
    call = await store.calls.get("acme", reply["call_id"])
    assert (call.prompt, call.inputs, call.user_id, call.decision["store"]) == (None, None, "ada", False)
    assert reply["cached"] == {
        "hit": False, "type": None, "kept": False, "reason": "its request says store: false",
    }  # fmt: skip
    assert reply["remembered"]["kept"] == []
    assert reply["remembered"]["reason"] == "the request says store: false"
    assert await store.memories.page("acme") == ([], 0)
    (entry,) = await store.audit.tail("acme", 5)
    assert entry.record["store"] is False
    assert "org_settings" not in entry.record
    with pytest.raises(NotFound):
        await cascade.resume("acme", reply["call_id"])

    def judged(connection):
        return connection.exec_driver_sql("SELECT COUNT(*) FROM judged_answers").scalar()

    assert await store.query(judged) == 0


async def test_the_same_call_without_it_is_kept_everywhere(open_gateway, settings):
    cascade = await open_gateway(store_prompts=True)
    reply = await cascade.route({**ASKED, "cache": "exact", "memory": {"enabled": True}})
    await cascade.drain()
    call = await cascade.services.store.calls.get("acme", reply["call_id"])
    assert call.prompt == ASKED["prompt"]
    assert "store" not in call.decision
    assert call.inputs is not None
    assert (await cascade.services.store.memories.page("acme"))[1] > 0
    assert CANARY.encode() in every_byte(settings.data_dir)


@pytest.mark.parametrize("stored", [True, False])
async def test_it_is_given_kept_answers_and_gives_none(open_gateway, stored):
    cascade = await open_gateway(judge="none", store_prompts=stored)
    asked = {**ASKED, "cache": "exact"}
    await cascade.route({**asked, **UNSTORED})
    assert not (await cascade.route({**asked, **UNSTORED}))["cached"]["hit"]
    bought = await cascade.route(asked)
    assert not bought["cached"]["hit"]
    hit = await cascade.route({**asked, **UNSTORED})
    assert hit["cached"]["call_id"] == bought["call_id"]
    row = await cascade.services.store.calls.get("acme", hit["call_id"])
    assert (row.prompt, row.decision["store"]) == (None, False)
    if not stored:
        assert len(cascade.services.caches._here) == 1


async def test_what_was_remembered_before_is_recalled_for_it(cascade):
    memory = {"memory": {"enabled": True}, "org": "acme"}
    await cascade.route({"prompt": "The access code of Falcon is K-7719.", **memory})
    kept = (await cascade.services.store.memories.page("acme"))[1]
    reply = await cascade.route({"prompt": "What is the access code of Falcon?", **memory, **UNSTORED})
    assert reply["remembered"]["tokens"] > 0
    assert (await cascade.services.store.memories.page("acme"))[1] == kept


@pytest.mark.parametrize("privacy", ["inputs", "prompts"])
async def test_an_org_that_lets_more_be_kept_is_narrowed_and_its_settings_are_told_apart(
    open_gateway, privacy
):
    cascade = await open_gateway(store_prompts=True)
    store = cascade.services.store
    await store.org_settings.change("acme", lambda _: {"privacy": privacy}, "test")
    reply = await cascade.route({**ASKED, **UNSTORED})
    call = await store.calls.get("acme", reply["call_id"])
    assert (call.prompt, call.inputs) == (None, None)
    record = (await store.audit.tail("acme", 1))[0].record
    assert (record["store"], record["org_settings"]["privacy"]) == (False, privacy)
    assert "is_unstored" not in record["org_settings"]


async def test_words_that_come_with_feedback_on_it_are_not_kept_either(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    store = cascade.services.store
    unstored = await cascade.route({**ASKED, **UNSTORED})
    stored = await cascade.route(ASKED)
    decided = await cascade.decide(Question(prompt="hello", org="acme"))
    assert not await _keeps_words(store, "acme", unstored["call_id"])
    assert await _keeps_words(store, "acme", stored["call_id"])
    assert await _keeps_words(store, "acme", decided.logged.call_id)


async def test_its_equals_under_way_do_not_wait_for_it(open_gateway):
    cascade = await open_gateway(judge="none")
    call = cascade.begin({**ASKED, **UNSTORED, "cache": "exact"})
    while not call.done():
        assert len(cascade.services.caches.flights) == 0
        await asyncio.sleep(0.001)
