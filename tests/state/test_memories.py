from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from x25.state import memories as module
from x25.state.memories import OrgMemory, Probe
from x25.state.recalled import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST = Memory("m1", "talk", "call1", "user", "The code is 42.", NOON, ("acme", "other"))
EAST, NORTH = np.eye(2, dtype=np.float32)


def probe(vector=EAST, encoder="e"):
    return Probe(vector, encoder)


@pytest.fixture
def kept(store):
    async def keep(org="acme", scope="org", *, vector=EAST, encoder="e", **changes):
        passage = replace(FIRST, **changes)
        vectors = None if vector is None else vector.reshape(1, -1)
        await store.memories.keep(org, scope, [passage], vectors, encoder)
        return passage

    return keep


async def test_what_is_kept_is_found_as_it_was_with_its_similarity(store, kept):
    await kept()
    await kept(memory_id="m2", vector=NORTH, text="something else \x00", allowed_providers=None)
    found = await store.memories.nearest("acme", "org", probe(), "e" and 5, NOON)
    assert found[0] == replace(FIRST, similarity=1.0)
    assert (found[1].similarity, found[1].text, found[1].allowed_providers) == (
        0.0,
        "something else \ufffd",
        None,
    )
    assert await store.memories.get("acme", "org", "m1") == FIRST


async def test_nothing_of_another_org_scope_encoder_or_time_is_found(store, kept):
    await kept()
    memories = store.memories
    assert await memories.nearest("acme-2", "org", probe(), 5, NOON) == []
    assert await memories.nearest("acme", "user-1", probe(), 5, NOON) == []
    assert await memories.nearest("acme", "org", probe(encoder="f"), 5, NOON) == []
    assert await memories.nearest("acme", "org", probe(np.ones(3, np.float32)), 5, NOON) == []
    assert await memories.nearest("acme", "org", probe(), 5, NOON + timedelta(seconds=1)) == []


async def test_what_is_kept_again_is_one_passage_and_newer(store, kept):
    await kept()
    await kept(said_at=NOON + timedelta(days=1))
    (found,) = await store.memories.nearest("acme", "org", probe(), 5, NOON)
    assert found.said_at == NOON + timedelta(days=1)


async def test_the_oldest_go_when_a_scope_is_full(store, kept, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    monkeypatch.setattr(module, "_TRIM_ABOVE", 4)
    await kept(scope="user-1")
    for number in range(5):
        await kept(memory_id=f"n{number}", said_at=NOON + timedelta(hours=number))
    passages, total = await store.memories.page("acme", scope="org")
    assert ([one.memory_id for _, one in passages], total) == (["n4", "n3", "n2"], 3)
    assert (await store.memories.page("acme"))[1] == 4


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"memory_id": "m1"}, 3), ({"conversation_id": "talk"}, 1), ({"scope": "user-1"}, 3), ({}, 0),
        ({"call_id": "call2"}, 3), ({"scope": "user-1", "conversation_id": "other"}, 4), ({"memory_id": "nope"}, 4),
    ],
)  # fmt: skip
async def test_what_is_forgotten_is_what_was_chosen_of_one_org(store, kept, chosen, left):
    await kept()
    await kept(memory_id="m2")
    await kept(memory_id="m3", conversation_id="walk", call_id="call2")
    await kept(memory_id="m4", scope="user-1")
    await kept("other")
    assert await store.memories.forget("acme", **chosen) == 4 - left
    assert (await store.memories.page("acme"))[1] == left
    assert (await store.memories.page("other"))[1] == 1


async def test_what_is_old_goes_of_one_org_or_of_all(store, kept):
    for org in ("acme", "other"):
        await kept(org)
    assert await store.memories.drop_before(NOON) == 0
    assert await store.memories.drop_before(NOON + timedelta(seconds=1), "acme") == 1
    assert await store.memories.drop_before(NOON + timedelta(seconds=1)) == 1


async def test_forgetting_prompts_forgets_what_is_remembered_of_them(store, kept):
    for org in ("acme", "other"):
        await kept(org)
    await store.erasure.forget("acme", NOON + timedelta(seconds=1))
    assert [(await store.memories.page(org))[1] for org in ("acme", "other")] == [0, 1]


async def test_pages_are_stable_and_newest_first(store, kept):
    for number in range(5):
        await kept(memory_id=f"n{number}", said_at=NOON + timedelta(hours=number // 2))
    pages = [await store.memories.page("acme", limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [one.memory_id for page, _ in pages for _, one in page] == ["n4", "n2", "n3", "n0", "n1"]
    assert {total for _, total in pages} == {5}


async def test_a_setting_is_written_over(store):
    for one in (
        OrgMemory("acme", True, 100, None),
        OrgMemory("acme", False, 7, 2.5),
        OrgMemory("b", True, 1, None),
    ):
        await store.memories.settle(one, NOON)
    assert {one.org: one for one in await store.memories.settings()} == {
        "acme": OrgMemory("acme", False, 7, 2.5), "b": OrgMemory("b", True, 1, None),
    }  # fmt: skip
