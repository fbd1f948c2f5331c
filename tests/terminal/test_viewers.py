import pytest

from x25.state.accounts import Account
from x25.state.errors import Forbidden
from x25.terminal.viewers import OWNER, Viewer, is_still, viewer_of, viewer_of_account

ANN = Viewer("ann", ("acme", "beta"), "t")


def test_a_member_sees_its_orgs_and_an_admin_all():
    assert ANN.choose(None, ["acme", "beta", "gamma"]) == "acme"
    assert ANN.choose("beta", []) == "beta"
    assert ANN.visible(["gamma"]) == ["acme", "beta"]
    for org in ("gamma", "nobody", None):
        with pytest.raises(Forbidden, match="may not see this organisation"):
            ANN.check(org)
    OWNER.check(None)
    assert OWNER.choose(None, ["acme", "beta"]) is None
    assert OWNER.choose(None, ["acme"]) == "acme"
    assert (OWNER.is_admin, ANN.is_admin) == (True, False)


@pytest.mark.slow
async def test_the_machines_owner_is_let_in_until_there_is_an_account(cascade):
    here, elsewhere = ("127.0.0.1", 1), ("10.0.0.9", 1)
    assert await viewer_of(None, here, cascade) == OWNER
    assert await is_still(OWNER, cascade)
    assert await viewer_of(None, elsewhere, cascade) is None
    assert await viewer_of("forged", elsewhere, cascade) is None
    account = await cascade.services.store.accounts.create("ann", "h", orgs=["acme"])
    token, _ = await cascade.services.store.accounts.sign_in(account)
    assert await viewer_of(None, here, cascade) is None
    assert not await is_still(OWNER, cascade)
    viewer = await viewer_of(token, elsewhere, cascade)
    assert viewer == viewer_of_account(account, token)
    assert (viewer.name, viewer.orgs) == ("ann", ("acme",))
    assert await is_still(viewer, cascade)
    await cascade.services.store.accounts.sign_out(token)
    assert not await is_still(viewer, cascade)


def test_an_admins_account_sees_every_org():
    account = Account("a", "root", "h", is_admin=True, orgs=(), created_at=None)
    assert viewer_of_account(account, "t").orgs is None
