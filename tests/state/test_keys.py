import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from x25.state.errors import InvalidRequest, TooManyRequests, Unauthorized


async def test_key_keeps_the_hash_of_its_secret(store):
    secret, key = await store.keys.create("acme", rate_limit_rpm=5)
    assert secret.startswith("sk-x25-")
    assert key.key_hash == sha256(secret.encode()).hexdigest()
    assert key.key_id == key.key_hash[:12]
    assert await store.keys.list("acme") == [key]


@pytest.mark.parametrize("secret", ["", "sk-x25-", "sk-x25-unknown", "\udc80", "\x00"])
async def test_unknown_secret_is_refused(store, secret):
    await store.keys.create("acme")
    with pytest.raises(Unauthorized, match="unknown"):
        await store.keys.authenticate(secret)


async def test_hash_of_a_key_does_not_open(store):
    _, key = await store.keys.create("acme")
    for guess in (key.key_hash, key.key_id):
        with pytest.raises(Unauthorized):
            await store.keys.authenticate(guess)


async def test_revoking_one_key_leaves_the_others(store):
    _, first = await store.keys.create("acme")
    secret, second = await store.keys.create("acme")
    assert await store.keys.revoke(first.key_id)
    assert await store.keys.authenticate(secret) == second
    assert not await store.keys.revoke("unknown")


async def test_keys_of_all_orgs_are_listed_oldest_first(store):
    made = [(await store.keys.create(org))[1] for org in ("beta", "acme", "beta")]
    assert await store.keys.list(None) == made
    assert await store.keys.list("beta") == [made[0], made[2]]


async def test_key_for_a_misnamed_org_or_a_negative_limit_is_refused(store):
    with pytest.raises(InvalidRequest):
        await store.keys.create("Not An Org")
    with pytest.raises(ValueError, match="rate_limit_rpm must be >= 0, got -1"):
        await store.keys.create("acme", rate_limit_rpm=-1)
    assert await store.keys.list(None) == []


NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def test_a_key_may_ask_as_often_as_its_limit_says_in_any_minute(store):
    _, key = await store.keys.create("acme", rate_limit_rpm=2)
    await store.keys.admit(key, NOW)
    await store.keys.admit(key, NOW + timedelta(seconds=40))
    with pytest.raises(TooManyRequests) as caught:
        await store.keys.admit(key, NOW + timedelta(seconds=50))
    assert caught.value.retry_after_s == 10
    await store.keys.admit(key, NOW + timedelta(seconds=60))
    with pytest.raises(TooManyRequests) as caught:
        await store.keys.admit(key, NOW + timedelta(seconds=61))
    assert caught.value.retry_after_s == 39


async def test_of_many_at_once_as_many_as_the_limit_are_admitted(store):
    _, key = await store.keys.create("acme", rate_limit_rpm=7)
    _, other = await store.keys.create("acme", rate_limit_rpm=7)
    answers = await asyncio.gather(*(store.keys.admit(key, NOW) for _ in range(20)), return_exceptions=True)
    assert answers.count(None) == 7
    await store.keys.admit(other, NOW)


async def test_a_key_without_a_limit_is_not_counted(store):
    _, key = await store.keys.create("acme")
    for _ in range(50):
        await store.keys.admit(key, NOW)
    counted = "SELECT count(*) FROM key_requests"
    assert await store.query(lambda connection: connection.exec_driver_sql(counted).scalar()) == 0


async def test_an_admins_key_says_so(store):
    secret, key = await store.keys.create("acme", is_admin=True)
    assert key.is_admin
    assert (await store.keys.authenticate(secret)).is_admin
    assert not (await store.keys.create("acme"))[1].is_admin
