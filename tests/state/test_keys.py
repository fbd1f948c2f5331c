from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import update

from x25.state.ceilings import Ceilings
from x25.state.errors import ExpiredToken, InvalidRequest, NotFound, Unauthorized
from x25.state.keys import LONGEST, check_scopes, replaced_by_id
from x25.state.rates import MOST_A_MINUTE, Rates
from x25.state.schema import keys


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
    for wrong in (-1, MOST_A_MINUTE + 1, 10**20):
        with pytest.raises(InvalidRequest, match="requests_per_minute must be"):
            await store.keys.create("acme", rate_limit_rpm=wrong)
    with pytest.raises(InvalidRequest, match="tokens_per_minute must be"):
        await store.keys.create("acme", rates=Rates(tokens_per_minute=10**20))
    assert await store.keys.list(None) == []


NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def test_an_admins_key_says_so(store):
    secret, key = await store.keys.create("acme", is_admin=True)
    assert key.is_admin
    assert (await store.keys.authenticate(secret)).is_admin
    assert not (await store.keys.create("acme"))[1].is_admin


def in_one_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


async def set_back(store, key, **times) -> None:
    change = update(keys).where(keys.c.key_id == key.key_id).values(**times)
    await store.transact(lambda connection: connection.execute(change).close())


async def test_a_key_whose_time_is_over_is_expired_and_no_unknown_one(store):
    secret, key = await store.keys.create("acme", expires_at=in_one_hour())
    assert (await store.keys.authenticate(secret)).expires_at == key.expires_at
    await set_back(store, key, expires_at=datetime.now(UTC) - timedelta(microseconds=1))
    with pytest.raises(ExpiredToken, match="expired at"):
        await store.keys.authenticate(secret)


async def test_a_key_that_would_be_expired_or_may_do_nothing_is_not_made(store):
    for wrong in ({"expires_at": NOW}, {"scopes": ()}, {"scopes": ("call", "fly")}):
        with pytest.raises(InvalidRequest):
            await store.keys.create("acme", **wrong)
    with pytest.raises(ValueError, match="ceilings must be"):
        await store.keys.create("acme", ceilings=Ceilings(day_nusd=0))
    assert await store.keys.list(None) == []


def test_scopes_are_kept_once_and_in_their_order():
    assert check_scopes(["read", "call", "read"]) == ("call", "read")


async def test_the_last_use_is_noted_once_a_minute(store):
    secret, key = await store.keys.create("acme")
    await store.keys.authenticate(secret)
    await store.catch_up()
    first = (await store.keys.get(key.key_id)).last_used_at
    assert datetime.now(UTC) - first < timedelta(seconds=10)
    await store.keys.authenticate(secret)
    await store.catch_up()
    assert (await store.keys.get(key.key_id)).last_used_at == first
    await set_back(store, key, last_used_at=first - timedelta(minutes=2))
    await store.keys.authenticate(secret)
    await store.catch_up()
    assert (await store.keys.get(key.key_id)).last_used_at >= first


async def test_a_renewed_key_stays_good_for_its_overlap_and_hands_everything_on(store):
    secret, old = await store.keys.create(
        "acme", 5, scopes=("call", "keys"), expires_at=in_one_hour(), ceilings=Ceilings(day_nusd=7)
    )
    new_secret, new, until = await store.keys.rotate(old.key_id, 60.0)
    assert (new.org, new.rate_limit_rpm, new.scopes, new.family) == ("acme", 5, ("call", "keys"), old.family)
    assert new.ceilings == old.ceilings
    assert (new.expires_at - new.created_at) == (old.expires_at - old.created_at)
    assert timedelta(seconds=50) < until - datetime.now(UTC) <= timedelta(seconds=60)
    assert (await store.keys.authenticate(secret)).key_id == old.key_id
    assert (await store.keys.authenticate(new_secret)).key_id == new.key_id
    await set_back(store, old, expires_at=NOW)
    with pytest.raises(ExpiredToken):
        await store.keys.authenticate(secret)


async def test_an_overlap_of_nothing_ends_the_old_key_at_once(store):
    secret, old = await store.keys.create("acme")
    await store.keys.rotate(old.key_id, 0.0)
    with pytest.raises(ExpiredToken):
        await store.keys.authenticate(secret)


async def test_only_a_good_key_is_renewed_and_once(store):
    _, key = await store.keys.create("acme")
    for wrong in (-1.0, float("nan"), 1e9):
        with pytest.raises(InvalidRequest, match="overlap_s"):
            await store.keys.rotate(key.key_id, wrong)
    for key_id, org in (("nothing", None), (key.key_id, "beta")):
        with pytest.raises(NotFound):
            await store.keys.rotate(key_id, 9.0, org=org)
    _, newer, _ = await store.keys.rotate(key.key_id, 9.0, org="acme")
    with pytest.raises(InvalidRequest, match=f"renewed before, by {newer.key_id}"):
        await store.keys.rotate(key.key_id, 9.0)
    await store.keys.revoke(newer.key_id)
    with pytest.raises(NotFound):
        await store.keys.rotate(newer.key_id, 9.0)
    assert len(await store.keys.list("acme")) == 2


async def test_a_key_and_the_one_that_renewed_it_are_limited_as_one(store):
    rates = Rates(2, 100, 3)
    _, old = await store.keys.create("acme", rates=rates)
    _, new, _ = await store.keys.rotate(old.key_id, 60.0)
    assert (old.rates, new.rates, new.family) == (rates, rates, old.family)


async def test_a_key_of_another_org_is_not_revoked(store):
    _, key = await store.keys.create("acme")
    assert not await store.keys.revoke(key.key_id, org="beta")
    assert await store.keys.revoke(key.key_id, org="acme")
    assert await store.keys.get("nothing") is None


async def test_a_key_lasts_a_century_at_most_and_one_from_before_that_rule_is_read_and_renewed(store):
    beyond = datetime.fromisoformat("9999-12-31T23:59:59-14:00")
    for wrong in (beyond, datetime.now(UTC) + LONGEST + timedelta(minutes=1)):
        with pytest.raises(InvalidRequest, match="at most 36,500 days") as refused:
            await store.keys.create("acme", expires_at=wrong)
        assert refused.value.field == "expires_at"
    secret, key = await store.keys.create("acme")
    await set_back(store, key, expires_at=beyond)
    (read,) = await store.keys.list(None)
    assert read.expires_at == datetime.max.replace(tzinfo=UTC)
    assert (await store.keys.authenticate(secret)).key_id == key.key_id
    _, new, _ = await store.keys.rotate(key.key_id, 0)
    assert new.expires_at == new.created_at + LONGEST


async def test_revoking_a_key_names_what_came_of_it_and_takes_it_along_where_asked(store):
    secrets, ids = [], []
    secret, key = await store.keys.create("acme")
    for _ in range(3):
        secrets, ids = [*secrets, secret], [*ids, key.key_id]
        secret, key, _ = await store.keys.rotate(key.key_id, 60)
    ids.append(key.key_id)
    assert replaced_by_id(await store.keys.list("acme")) == dict(zip(ids[1:], ids, strict=False))
    done = await store.keys.revoke(ids[1])
    assert (done.key_ids, done.successors) == ((ids[1],), tuple(ids[2:]))
    assert await store.keys.authenticate(secret) is not None
    assert await store.keys.revoke(ids[1], org="other", with_successors=True) is None
    done = await store.keys.revoke(ids[1], with_successors=True)
    assert (done.key_ids, done.successors) == (tuple(ids[2:]), ())
    with pytest.raises(Unauthorized, match="revoked"):
        await store.keys.authenticate(secret)
    assert (await store.keys.authenticate(secrets[0])).key_id == ids[0]  # came before it
    assert await store.keys.revoke(ids[1], with_successors=True) is None


async def test_a_key_renewed_again_after_its_successor_was_revoked_is_told_as_replaced(store):
    _, first = await store.keys.create("acme")
    _, lost, _ = await store.keys.rotate(first.key_id, 60)
    await store.keys.revoke(lost.key_id)
    _, again, _ = await store.keys.rotate(first.key_id, 0)
    replaced = replaced_by_id(await store.keys.list("acme"))
    assert replaced == {lost.key_id: first.key_id, again.key_id: first.key_id}
