from datetime import UTC, datetime

import pytest

from x25.graph.bootstrap import BUNDLED_MODELS
from x25.graph.vault import Vault, new_master_key
from x25.nodes.org.provider_keys import ProviderKeyBook
from x25.providers.registry import load_registry
from x25.state.provider_keys import ProviderKey
from x25.state.store import open_store


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def bring(store, vault, org, key_id, secret, provider="openrouter"):
    sealed = vault.seal(org, provider, secret)
    now = datetime.now(UTC)
    await store.provider_keys.add(ProviderKey(org, key_id, provider, 0, secret[:4], now, sealed), "")


async def test_each_org_has_its_keys_and_the_models_they_open(store):
    vault = Vault(new_master_key())
    closed = load_registry(BUNDLED_MODELS).openable(lambda _: False)
    book = ProviderKeyBook(vault.unseal, (), closed)
    assert {"openrouter", "anthropic"} <= book.providers
    await bring(store, vault, "acme", "a", "sk-secret-one")
    await bring(store, vault, "beta", "b", "sk-secret-two", "anthropic")
    await book.refresh(store)
    assert [(one.key_id, one.secret) for one in book.of("acme")] == [("a", "sk-secret-one")]
    assert "secret" not in repr(book.of("acme"))
    assert len(book.models_of("acme")) > len(book.models_of("beta")) > 0
    assert {spec.provider for spec in book.models_of("beta").values()} == {"anthropic"}
    assert "anthropic/claude-opus-5" in book.routers_of("beta")
    assert (book.of("gamma"), book.models_of("gamma"), book.routers_of("gamma")) == ((), {}, {})
    book.forget("acme")
    assert book.of("acme") == ()
    await book.refresh(store)
    assert book.of("acme")


async def test_a_key_that_cannot_be_read_is_left_out_and_said(store, caplog):
    vault = Vault(new_master_key())
    await bring(store, vault, "acme", "a", "sk-secret-one")
    book = ProviderKeyBook(Vault(new_master_key()).unseal)
    await book.refresh(store)
    assert book.of("acme") == ()
    assert "provider key a of org acme cannot be used" in caplog.text
    assert "secret" not in caplog.text
    assert book.unusable == {"a"}
    readable = ProviderKeyBook(vault.unseal)
    await readable.refresh(store)
    assert readable.unusable == frozenset()


async def test_a_gateway_without_a_master_key_says_which_keys_it_goes_without(store, caplog):
    book = ProviderKeyBook()
    await book.refresh(store)
    assert (book.unusable, caplog.text) == (frozenset(), "")
    await bring(store, Vault(new_master_key()), "acme", "a", "sk-secret-one")
    for _ in range(3):
        await book.refresh(store)
    assert (book.of("acme"), book.unusable) == ((), {"a"})
    assert caplog.text.count("no master key") == 1
