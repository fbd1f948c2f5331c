from datetime import UTC, datetime

from x25.state.api_key import DEFAULT_SCOPES, SCOPES, ApiKey
from x25.state.ceilings import Ceilings

KEY = ApiKey("k", "acme", "h", datetime(2026, 1, 1, tzinfo=UTC), scopes=("call",), day_nusd=7)


def test_a_key_may_do_what_its_scopes_say_and_an_admins_everything():
    assert [scope for scope in SCOPES if KEY.may(scope)] == ["call"]
    admin = ApiKey("k", "acme", "h", KEY.created_at, is_admin=True, scopes=())
    assert all(admin.may(scope) for scope in SCOPES)


def test_where_nothing_is_said_a_key_calls_reads_and_gives_feedback():
    assert DEFAULT_SCOPES == ("call", "read", "feedback")
    assert set(DEFAULT_SCOPES) < SCOPES.keys()


def test_its_ceilings_are_those_of_its_record():
    assert KEY.ceilings == Ceilings(day_nusd=7)
