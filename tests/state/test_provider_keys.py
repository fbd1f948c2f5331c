import json
from datetime import UTC, datetime

import pytest

from x25.state.provider_keys import ProviderKey
from x25.state.store import open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


def key(key_id, org="acme", priority=0):
    return ProviderKey(org, key_id, "openai", priority, "sk-a", NOW, b"sealed-" + key_id.encode())


async def test_keys_are_listed_in_the_order_they_are_used_in_and_belong_to_their_org(store):
    for one in (key("a", priority=5), key("b", priority=1), key("c", org="beta")):
        await store.provider_keys.add(one, "k1")
    assert [one.key_id for one in await store.provider_keys.of("acme")] == ["b", "a"]
    assert [(one.org, one.key_id) for one in await store.provider_keys.all()] == [
        ("acme", "b"), ("acme", "a"), ("beta", "c"),
    ]  # fmt: skip
    assert not await store.provider_keys.remove("acme", "c", "k1")
    before = await store.provider_keys.mark()
    assert await store.provider_keys.remove("acme", "a", "k1")
    assert await store.provider_keys.mark() != before


async def test_the_chain_says_who_brought_which_and_holds_nothing_of_it(store):
    await store.provider_keys.add(key("a"), "k1")
    await store.provider_keys.remove("acme", "a", "k2")
    records = [one.record for one in await store.audit.tail("acme", 9)]
    assert [(one["kind"], one["action"], one["by"]) for one in records] == [
        ("provider_key", "added", "k1"), ("provider_key", "removed", "k2"),
    ]  # fmt: skip
    assert "sealed" not in json.dumps(records)
    assert "sealed" not in repr(key("a"))
