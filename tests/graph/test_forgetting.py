"""What a process has in memory of an org goes with the org, whichever process on the store erased it."""

import asyncio
import gc
import types

from x25.graph.checkpoints import open_saver
from x25.graph.erasing import erase_org
from x25.graph.forgetting import ErasedOrgs, forget_org
from x25.nodes.org.conversations import Place
from x25.nodes.org.own_models import LOOK_EVERY_S
from x25.routing.plan.affinity import Author
from x25.state.responses import KeptResponse
from x25.state.store import open_store

CANARY = "zebrafish-in-the-attic"
NOT_KEPT = (
    types.ModuleType,
    type,
    types.FunctionType,
    types.MethodType,
    types.FrameType,
    types.CodeType,
    types.CoroutineType,
)


def words_in(*roots: object) -> list[str]:
    """Return the texts with the canary that can be reached from some objects."""
    seen, found, waiting = set(), [], list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (*NOT_KEPT, asyncio.AbstractEventLoop)):
            continue
        seen.add(id(one))
        if isinstance(one, str | bytes):
            text = one if isinstance(one, str) else one.decode("utf-8", "replace")
            found += [text[:100]] if CANARY in text else []
            continue
        waiting += gc.get_referents(one)
    return found


async def fill(cascade, org):
    """Have a process know all there is to know of an org."""
    asked = {"org": org, "conversation_id": f"{org}-{CANARY}", "cache": "near", "memory": {"enabled": True}}
    await cascade.services.store.org_settings.change(org, lambda _: {"cache": "near"}, "test")
    reply = await cascade.route({"prompt": f"What is the colour of the {CANARY} of {org}?", **asked})
    await cascade.route({"prompt": f"What is the size of the {CANARY} of {org}?", **asked})
    said = [{"role": "user", "content": CANARY}, reply["message"]]
    cascade.responses.note(org, reply["call_id"], KeptResponse(said, {}))
    await cascade.services.refresh_labels(org)
    await cascade.drain()
    return reply


def known_of(cascade, org, reply):
    """Return what a process says of an org when it is asked."""
    services = cascade.services
    asked = {"role": "user", "content": f"What is the colour of the {CANARY} of {org}?"}
    return {
        "answers": len(services.caches._here._orgs.get(org, ())),
        "remembered": cascade.responses._here.get(org, reply["call_id"]),
        "author": services.conversations.author(org, [asked, {**reply["message"], "role": "assistant"}]),
        "settings": services.org_settings._pages.get(org),
        "labels": services.judge_book._pages.get(org),
        "estimators": services.org_models._org_to_known.get(org),
        "verifier": services.verifiers._org_to_known.get(org),
        "evidence": services.store.posteriors._pages.get(org),
        "vectors": [name for name in services.store.memories._vectors._kept if name[0] == org],
    }


async def test_the_process_that_erases_has_no_word_of_it_left_and_all_of_others(open_gateway):
    cascade = await open_gateway(store_inputs=True)
    replies = {org: await fill(cascade, org) for org in ("acme", "other")}
    before = known_of(cascade, "other", replies["other"])
    assert all(before.values()), before
    assert all(known_of(cascade, "acme", replies["acme"]).values())
    assert any("acme" in text for text in words_in(cascade.services, cascade.responses._here))
    await cascade.erase_org("acme")
    assert not any(known_of(cascade, "acme", replies["acme"]).values())
    assert known_of(cascade, "other", replies["other"]) == before
    assert not [text for text in words_in(cascade.services.caches, cascade.responses._here) if "acme" in text]


async def test_an_erased_call_is_no_longer_in_the_memory_that_bought_it(open_gateway):
    cascade = await open_gateway()
    reply = await cascade.route({"prompt": f"Say {CANARY}.", "cache": "exact"})
    assert len(cascade.services.caches._here) == 1
    await cascade.erase("default", reply["call_id"])
    assert len(cascade.services.caches._here) == 0


async def test_a_history_of_an_erased_org_begins_a_conversation_and_has_no_author(cascade):
    book, store = cascade.services.conversations, cascade.services.store
    said = [{"role": "user", "content": f"What is a {CANARY}, if there is such a thing?"}]
    answer = {"role": "assistant", "content": "A fish that lives under a roof."}
    again = [*said, answer, {"role": "user", "content": "Why?"}]
    author = Author("v/m", "mid")
    for org in ("acme", "other"):
        book.remember(org, said, answer, author, Place(f"{org}-talk", None))
        book.remember_chain(org, "chain", author)
        assert await book.conversation(org, None, again, store, 0.0) == f"{org}-talk"
    for _ in range(2):
        book.forget_org("acme")
        assert await book.conversation("acme", None, again, store, 0.0) is None
        assert book.author("acme", again) is None
        assert await book.conversation("other", None, again, store, 0.0) == "other-talk"
        assert book.author("other", again) == author
        book.remember("acme", said, answer, author, Place("new-talk", None))
        assert await book.conversation("acme", None, again, store, 100.0) == "new-talk"


async def test_other_processes_drop_it_within_the_stated_time(open_gateway):
    one, other = await open_gateway(), await open_gateway()
    reply = await fill(other, "acme")
    assert all(known_of(other, "acme", reply).values())
    await one.erase_org("acme")
    async with asyncio.timeout(LOOK_EVERY_S + 5.0):
        while any(known_of(other, "acme", reply).values()):
            await asyncio.sleep(0.02)
    assert not [text for text in words_in(other.services.caches, other.responses._here) if "acme" in text]


async def test_each_erasure_is_found_once_also_of_an_org_that_is_erased_again(settings):
    url = settings.store_url
    forgotten = []
    async with await open_store(url) as here, await open_store(url) as there, open_saver(settings) as saver:

        async def erase(org):
            await there.org_settings.change(org, lambda _: {"cache": "off"}, "test")
            await erase_org(there, saver, settings, org)

        await erase("before")
        book = ErasedOrgs(forgotten.append)
        await book.refresh(here)
        assert forgotten == []
        for org in ("acme", "beta", "acme", "before"):
            await erase(org)
            await book.refresh(here)
            await book.refresh(here)
        assert forgotten == ["acme", "beta", "acme", "before"]
        await erase("acme")
        await erase("beta")
        await book.refresh(here)
        assert sorted(forgotten[4:]) == ["acme", "beta"]


async def test_forgetting_an_org_that_nobody_knows_changes_nothing(cascade):
    forget_org(cascade.services, cascade.responses, "nobody")
    assert (await cascade.route({"prompt": "hello", "org": "nobody"}))["text"]
