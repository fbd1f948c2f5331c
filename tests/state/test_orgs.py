import pytest

from x25.state.errors import InvalidRequest
from x25.state.orgs import validate_org


@pytest.mark.parametrize("org", ["a", "0", "acme", "a-b_c", "9" + "x" * 63])
def test_well_named_org_is_returned_unchanged(org):
    assert validate_org(org) == org


@pytest.mark.parametrize("org", ["", "-a", "_a", "Acme", "a b", "a\n", "ä", "a/b", "x" * 65, "a\x00"])
def test_misnamed_org_is_refused_with_the_rule(org):
    with pytest.raises(InvalidRequest, match="1 to 64 characters") as refusal:
        validate_org(org)
    assert refusal.value.field == "org"


async def test_orgs_are_listed_by_name_once_they_have_a_chain(store, make_call):
    assert await store.orgs.list() == []
    await store.audit.append("zeta", {})
    await store.calls.record(make_call(org="beta"), {})
    assert await store.orgs.list() == ["beta", "zeta"]


async def test_only_calls_are_counted_not_every_entry(store, make_call):
    await store.calls.record(make_call(), {})
    await store.audit.append("acme", {"kind": "note"})
    assert await store.orgs.call_count("acme") == 1
    assert await store.orgs.call_count("nobody") == 0
