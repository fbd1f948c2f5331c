import pytest

from x25.graph.vault import Unreadable, Vault, new_master_key
from x25.state.errors import ConfigError, InvalidRequest


def test_what_is_sealed_opens_for_its_org_and_provider_alone():
    key = new_master_key()
    vault = Vault(key)
    sealed = vault.seal("acme", "openai", "sk-secret-of-acme")
    assert b"sk-secret" not in sealed
    assert vault.unseal("acme", "openai", sealed) == "sk-secret-of-acme"
    for org, provider in (("beta", "openai"), ("acme", "mistral")):
        with pytest.raises(Unreadable, match="another org or provider"):
            vault.unseal(org, provider, sealed)
    assert Vault(f"{new_master_key()}, {key}").unseal("acme", "openai", sealed) == "sk-secret-of-acme"
    for other in (Vault(new_master_key()), Vault("")):
        with pytest.raises(Unreadable):
            other.unseal("acme", "openai", sealed)


def test_without_a_master_key_nothing_is_sealed_and_a_wrong_one_is_not_repeated():
    with pytest.raises(InvalidRequest, match="X25_BYOK_KEY"):
        Vault(" ").seal("acme", "openai", "sk-secret")
    with pytest.raises(ConfigError) as caught:
        Vault("not-a-key-at-all")
    assert "not-a-key" not in str(caught.value)
