from datetime import UTC, datetime

import pytest

from x25.graph.memory.org_store import OrgStore, memory_from, namespace_of, value_of
from x25.providers.embeddings import open_encoder
from x25.state.errors import InvalidRequest
from x25.state.recalled import Memory
from x25.state.store import open_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REX = Memory("m1", "talk", "call1", "user", "My dog is called Rex.", NOON, ("acme",))
MINE = namespace_of("acme", "org")


@pytest.fixture
async def store():
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield OrgStore(opened.memories, open_encoder())


async def test_it_keeps_finds_gives_and_deletes_as_any_store_of_langgraph(store):
    await store.aput(MINE, "m1", value_of(REX))
    await store.aput(
        MINE, "m2", value_of(Memory("m2", "walk", "c2", "assistant", "Bananas are yellow.", NOON))
    )
    found = await store.asearch(MINE, query="What is my dog called?", limit=5)
    assert [item.key for item in found] == ["m1", "m2"]
    assert found[0].score > found[1].score
    assert (await store.aget(MINE, "m1")).value == value_of(REX)
    assert [item.key for item in await store.asearch(MINE, filter={"conversation_id": "walk"})] == ["m2"]
    assert [item.key for item in await store.asearch(MINE, query="dog", limit=1, offset=1)] == ["m2"]
    await store.adelete(MINE, "m1")
    assert await store.aget(MINE, "m1") is None


async def test_another_org_or_scope_has_nothing_of_it(store):
    await store.aput(MINE, "m1", value_of(REX))
    for namespace in (
        namespace_of("acme-2", "org"),
        namespace_of("acm", "org"),
        namespace_of("acme", "user-1"),
    ):
        assert await store.asearch(namespace, query="dog") == []
        assert await store.aget(namespace, "m1") is None


@pytest.mark.parametrize(
    "namespace",
    [("x25-memory",), ("x25-memory", "acme"), ("other", "acme", "org"), ("x25-memory", "all", "org")],
)
async def test_a_namespace_that_is_not_whole_is_refused(store, namespace):
    with pytest.raises(InvalidRequest):
        await store.asearch(namespace, query="dog")


async def test_namespaces_are_not_listed_and_other_filters_not_taken(store):
    with pytest.raises(InvalidRequest, match="other orgs"):
        await store.alist_namespaces()
    with pytest.raises(InvalidRequest, match="conversation_id alone"):
        await store.asearch(MINE, filter={"role": "user"})


@pytest.mark.parametrize(
    "wrong", [{"text": 3}, {"at": "noon"}, {"at": "2026-01-01"}, {"allowed_providers": "acme"}]
)
def test_a_value_that_is_no_passage_is_refused(wrong):
    assert memory_from("m1", value_of(REX)) == REX
    with pytest.raises(InvalidRequest, match="a passage has"):
        memory_from("m1", {**value_of(REX), **wrong})
