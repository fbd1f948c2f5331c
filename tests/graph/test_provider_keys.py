import pytest

from x25.graph.provider_keys import MOST_KEYS, add_key, remove_key
from x25.graph.vault import Vault, new_master_key
from x25.state.errors import InvalidRequest, NotFound

SECRET = "sk-own-secret-0123456789"


@pytest.fixture
async def opened(open_gateway):
    key = new_master_key()
    return await open_gateway(byok_key=key), Vault(key)


async def test_a_key_is_used_from_the_next_call_on_until_it_is_deleted(opened):
    cascade, vault = opened
    services = cascade.services
    key = await add_key(services, vault, "acme", provider="simulator", secret=SECRET, priority=3, by="k1")
    assert (key.prefix, key.priority) == (SECRET[:6], 3)
    assert [one.secret for one in services.provider_keys.of("acme")] == [SECRET]
    reply = await cascade.route({"prompt": "What is 2 + 2?", "org": "acme"})
    assert reply["byok"]["keys"] == [key.key_id]
    assert (await cascade.route({"prompt": "What is 2 + 2?", "org": "beta"}))["byok"] is None
    with pytest.raises(NotFound):
        await remove_key(services, "beta", key.key_id, by="")
    await remove_key(services, "acme", key.key_id, by="")
    assert services.provider_keys.of("acme") == ()


@pytest.mark.parametrize(
    ("provider", "secret", "field"),
    [
        ("nowhere", SECRET, "provider"), ("simulator", "short", "api_key"), ("simulator", f"{SECRET} x", "api_key"),
        ("simulator", "ü" * 20, "api_key"), ("simulator", "x" * 5_000, "api_key"),
    ],
)  # fmt: skip
async def test_what_is_no_key_is_refused_without_repeating_it(opened, provider, secret, field):
    cascade, vault = opened
    with pytest.raises(InvalidRequest) as refused:
        await add_key(cascade.services, vault, "acme", provider=provider, secret=secret, priority=0, by="")
    assert refused.value.field == field
    assert secret not in str(refused.value)


async def test_an_org_has_so_many_keys_and_no_more(opened):
    cascade, vault = opened
    wanted = {"provider": "simulator", "secret": SECRET, "priority": 0, "by": ""}
    for _ in range(MOST_KEYS):
        await add_key(cascade.services, vault, "acme", **wanted)
    with pytest.raises(InvalidRequest, match="50 provider keys"):
        await add_key(cascade.services, vault, "acme", **wanted)


@pytest.mark.parametrize("changed", ["", new_master_key()], ids=["none", "another"])
async def test_keys_that_the_master_key_does_not_open_any_more_degrade_the_gateway(open_gateway, changed):
    key = new_master_key()
    first = await open_gateway(byok_key=key)
    wanted = {"provider": "simulator", "secret": SECRET, "priority": 0, "by": ""}
    await add_key(first.services, Vault(key), "acme", **wanted)
    assert "own_keys" not in first.degraded()
    second = await open_gateway(byok_key=changed)
    assert "cannot be opened: 1 (X25_BYOK_KEY)" in second.degraded()["own_keys"]
    assert (await second.route({"prompt": "What is 2 + 2?", "org": "acme"}))["byok"] is None
