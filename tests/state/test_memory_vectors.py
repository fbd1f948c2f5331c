from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from x25.state.memory_vectors import ScopeVectors
from x25.state.recalled import Memory
from x25.state.store import open_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EAST = np.array([[1.0, 0.0]], np.float32)


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def keep(store, memory_id, hours=0, *, scope="org", vectors=EAST):
    said = Memory(memory_id, "talk", "c", "user", "x", NOON + timedelta(hours=hours))
    await store.memories.keep("acme", scope, [said], vectors, "e")


async def test_vectors_are_read_again_only_when_a_passage_came_or_went(store):
    vectors = ScopeVectors()

    async def read(scope="org"):
        return await store.query(lambda connection: vectors.of(connection, "acme", scope, "e"))

    await keep(store, "m1")
    first = await read()
    assert (first.ids, first.matrix.tolist()) == (["m1"], EAST.tolist())
    assert await read() is first
    await keep(store, "m2", 1)
    assert (await read()).ids == ["m2", "m1"]
    await keep(store, "m1", 2)
    assert (await read()).ids == ["m1", "m2"]
    await store.memories.forget("acme", memory_id="m2")
    assert (await read()).ids == ["m1"]
    assert (await read("user-1")).ids == []


async def test_the_scopes_that_asked_last_are_kept(store):
    vectors = ScopeVectors(most_scopes=2)
    read = {}
    for scope in ("a", "b", "a", "c"):
        await keep(store, "m", scope=scope)
        read[scope] = await store.query(
            lambda connection, scope=scope: vectors.of(connection, "acme", scope, "e")
        )
    for scope, is_kept in (("a", True), ("c", True), ("b", False)):
        again = await store.query(lambda connection, scope=scope: vectors.of(connection, "acme", scope, "e"))
        assert (again is read[scope]) is is_kept


async def test_vectors_of_another_length_and_none_are_left_out(store):
    vectors = ScopeVectors()
    await keep(store, "long", 0, vectors=np.ones((1, 3), np.float32))
    await keep(store, "m", 1)
    await keep(store, "none", 2, vectors=None)
    kept = await store.query(lambda connection: vectors.of(connection, "acme", "org", "e"))
    assert kept.ids == ["m"]
