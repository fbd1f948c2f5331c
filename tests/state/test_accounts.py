from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from x25.state.errors import InvalidRequest, NotFound
from x25.state.schema import account_sessions


async def test_a_member_has_orgs_and_an_admin_needs_none(store):
    member = await store.accounts.create(" Ann@Acme.test ", "h", orgs=["beta", "acme", "acme"])
    assert (member.name, member.orgs, member.is_admin) == ("ann@acme.test", ("acme", "beta"), False)
    assert await store.accounts.by_name("ANN@acme.test") == member
    assert (await store.accounts.create("root", "h", is_admin=True)).orgs == ()
    assert await store.accounts.count() == 2
    with pytest.raises(InvalidRequest, match="at least one org"):
        await store.accounts.create("bob", "h")
    with pytest.raises(InvalidRequest, match="taken"):
        await store.accounts.create("Root", "h", is_admin=True)
    with pytest.raises(InvalidRequest, match="org must be"):
        await store.accounts.create("bob", "h", orgs=["No Org"])


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x00b"])
async def test_a_name_is_short_and_printable(store, name):
    with pytest.raises(InvalidRequest, match="printable"):
        await store.accounts.create(name, "h", is_admin=True)


async def test_a_session_ends_when_signed_out_expired_or_replaced(store):
    account = await store.accounts.create("root", "h", is_admin=True)
    first, _ = await store.accounts.sign_in(account)
    assert await store.accounts.of_session(first) == account
    second, session = await store.accounts.sign_in(account, instead_of=first)
    assert await store.accounts.of_session(first) is None
    kept = await store.query(lambda connection: connection.execute(select(account_sessions)).all())
    assert [one.token_hash for one in kept] == [session.token_hash]
    assert second not in repr(kept)
    over = update(account_sessions).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    await store.transact(lambda connection: connection.execute(over).close())
    assert await store.accounts.of_session(second) is None
    third, _ = await store.accounts.sign_in(account)
    await store.accounts.sign_out(third)
    assert await store.accounts.of_session(third) is None
    assert await store.accounts.of_session("") is None


async def test_a_disabled_account_is_signed_out_and_cannot_sign_in(store):
    account = await store.accounts.create("root", "h", is_admin=True)
    token, _ = await store.accounts.sign_in(account)
    await store.accounts.change("root", disabled=True)
    assert await store.accounts.of_session(token) is None
    assert await store.accounts.by_name("root") is None
    await store.accounts.change("root", disabled=False, password_hash="other")
    assert (await store.accounts.by_name("root")).password_hash == "other"
    assert await store.accounts.of_session(token) is None
    assert [one.name for one in await store.accounts.list()] == ["root"]
    with pytest.raises(NotFound):
        await store.accounts.change("nobody", disabled=True)


async def test_another_role_ends_sessions_and_counts_from_the_next_one(store):
    account = await store.accounts.create("ann", "h", orgs=["acme", "beta"])
    token, _ = await store.accounts.sign_in(account)
    await store.accounts.set_role("Ann", is_admin=False, orgs=["beta"])
    assert await store.accounts.of_session(token) is None
    assert (await store.accounts.by_name("ann")).orgs == ("beta",)
    await store.accounts.set_role("ann", is_admin=True)
    promoted = await store.accounts.by_name("ann")
    assert (promoted.is_admin, promoted.orgs) == (True, ())
    with pytest.raises(InvalidRequest, match="at least one org"):
        await store.accounts.set_role("ann", is_admin=False)
    with pytest.raises(NotFound):
        await store.accounts.set_role("nobody", is_admin=True)


async def test_who_was_let_in_by_a_password_that_changed_meanwhile_gets_no_session(store):
    read = await store.accounts.create("root", "h", is_admin=True)
    await store.accounts.change("root", password_hash="other")
    with pytest.raises(NotFound, match="any more"):
        await store.accounts.sign_in(read)
    newer = await store.accounts.by_name("root")
    token, _ = await store.accounts.sign_in(newer)
    assert await store.accounts.of_session(token) == newer
    await store.accounts.change("root", disabled=True)
    with pytest.raises(NotFound):
        await store.accounts.sign_in(newer)
    await store.accounts.change("root", disabled=False)
    assert await store.accounts.of_session(token) is None
