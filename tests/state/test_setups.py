from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from x25.state.errors import Forbidden, InvalidRequest
from x25.state.schema import account_setups


async def test_a_link_makes_the_first_account_once(store):
    token = await store.setups.issue()
    assert await store.setups.is_good(token)
    made = await store.setups.redeem(token, "Root", "h")
    assert (made.name, made.is_admin, made.orgs) == ("root", True, ())
    assert await store.accounts.by_name("root") == made
    assert not await store.setups.is_good(token)
    with pytest.raises(Forbidden, match="was used"):
        await store.setups.redeem(token, "second", "h")
    with pytest.raises(Forbidden, match="an account already"):
        await store.setups.issue()
    assert await store.accounts.count() == 1


async def test_a_newer_link_replaces_an_older_one_and_neither_is_kept_in_words(store):
    old, new = await store.setups.issue(), await store.setups.issue()
    assert [await store.setups.is_good(one) for one in (old, new, "", "x" * 43)] == [
        False,
        True,
        False,
        False,
    ]
    (kept,) = await store.transact(lambda connection: connection.execute(select(account_setups)).all())
    assert new not in repr(kept)
    assert len(kept.token_hash) == 64


async def test_a_link_is_over_after_an_hour(store):
    token = await store.setups.issue()
    past = datetime.now(UTC) - timedelta(seconds=1)
    over = update(account_setups).values(expires_at=past)
    await store.transact(lambda connection: connection.execute(over).close())
    assert not await store.setups.is_good(token)
    with pytest.raises(Forbidden):
        await store.setups.redeem(token, "root", "h")
    assert await store.accounts.count() == 0


async def test_a_wrong_name_leaves_it_good_and_an_account_made_elsewhere_ends_it(store):
    token = await store.setups.issue()
    with pytest.raises(InvalidRequest):
        await store.setups.redeem(token, "  ", "h")
    assert await store.setups.is_good(token)
    await store.accounts.create("ann", "h", orgs=["acme"])
    with pytest.raises(Forbidden, match="an account already"):
        await store.setups.redeem(token, "root", "h")
    assert await store.accounts.count() == 1
