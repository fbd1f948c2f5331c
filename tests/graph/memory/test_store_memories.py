from datetime import UTC, datetime, timedelta

import pytest
from langgraph.store.memory import InMemoryStore

from x25.graph.memory.org_store import OrgStore, namespace_of
from x25.graph.memory.store_memories import StoreMemories
from x25.providers.embeddings import open_encoder
from x25.state.errors import MemoryUnavailable
from x25.state.recalled import Memory
from x25.state.store import open_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENCODER = open_encoder()
TEXTS = ["My dog is called Rex.", "Bananas are yellow.", "We deploy on Tuesdays."]
PASSAGES = [Memory(f"m{n}", "talk", "call1", "user", text, NOON) for n, text in enumerate(TEXTS)]


def with_an_index():
    dimension = ENCODER.dimension
    return InMemoryStore(index={"dims": dimension, "embed": lambda texts: ENCODER.embed_many(texts).tolist()})


@pytest.fixture(params=["ours", "without an index", "with an index"])
async def memories(request):
    async with await open_store("sqlite+aiosqlite://") as opened:
        store = {
            "ours": lambda: OrgStore(opened.memories, ENCODER),
            "without an index": InMemoryStore,
            "with an index": with_an_index,
        }[request.param]()
        yield StoreMemories(store, ENCODER)


async def test_every_store_finds_the_most_similar_first(memories):
    await memories.keep("acme", "org", PASSAGES)
    found = await memories.find("acme", "org", "What is my dog called?", 2, NOON)
    assert (found[0].memory_id, len(found)) == ("m0", 2)
    assert found[0].similarity > found[1].similarity


async def test_every_store_keeps_orgs_scopes_and_times_apart(memories):
    await memories.keep("a_b", "org", PASSAGES)
    for org, scope in (("a-b", "org"), ("a_bc", "org"), ("a", "org"), ("a_b", "user-1")):
        assert await memories.find(org, scope, "my dog", 5, NOON) == []
    assert await memories.find("a_b", "org", "my dog", 5, NOON + timedelta(seconds=1)) == []


async def test_what_somebody_else_put_there_is_left_alone():
    store = InMemoryStore()
    await store.aput(namespace_of("acme", "org"), "foreign", {"note": "not ours"})
    await store.aput((*namespace_of("acme", "org"), "deeper"), "m9", {"note": "below"})
    memories = StoreMemories(store, ENCODER)
    await memories.keep("acme", "org", PASSAGES[:1])
    assert [one.memory_id for one in await memories.find("acme", "org", "dog", 5, NOON)] == ["m0"]


async def test_whatever_a_store_raises_is_named_without_its_words():
    class Broken(InMemoryStore):
        async def abatch(self, ops):
            raise KeyError("a secret")

    with pytest.raises(MemoryUnavailable, match=r"^Broken raised KeyError$"):
        await StoreMemories(Broken(), ENCODER).find("acme", "org", "dog", 5, NOON)
