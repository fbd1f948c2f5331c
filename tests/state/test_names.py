import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.state.errors import InvalidRequest
from x25.state.names import check_call_id, check_org, check_user_id


@pytest.mark.parametrize("org", ["a", "lab-1", "0_x", "a" * 64])
def test_org_names_of_the_alphabet_are_accepted(org):
    assert check_org(org) == org


@pytest.mark.parametrize("org", ["", "-a", "_a", "A", "a/b", "a%", "ä", "a\n", "a" * 65, None, 7, ["a"]])
def test_other_org_names_are_refused(org):
    with pytest.raises(InvalidRequest, match="org must be"):
        check_org(org)


@pytest.mark.parametrize("call_id", ["", "a/b", "a b", "a\n", "a" * 65, 7])
def test_call_ids_outside_the_alphabet_are_refused(call_id):
    with pytest.raises(InvalidRequest, match="call_id must be"):
        check_call_id(call_id)
    assert check_call_id("Call_1-a") == "Call_1-a"


@given(st.text())
def test_an_accepted_org_cannot_reach_into_a_neighbours_checkpoints(org):
    """Threads are scanned from "org/" to "org0", which holds because no name contains either separator's kind."""
    try:
        accepted = check_org(org)
    except InvalidRequest:
        return
    assert "/" not in accepted
    assert 1 <= len(accepted) <= 64


@pytest.mark.parametrize("user_id", [None, "a", "ada@example.org", "Ada Lovelace", "x" * 255, "用户"])
def test_user_ids_are_printable_and_the_callers_own(user_id):
    assert check_user_id(user_id) == user_id


@pytest.mark.parametrize("user_id", ["", "x" * 256, "a\nb", "a\x00", "\ud800", 5, ["a"]])
def test_a_user_id_that_no_log_could_hold_is_refused(user_id):
    with pytest.raises(InvalidRequest) as refused:
        check_user_id(user_id)
    assert refused.value.field == "user_id"
