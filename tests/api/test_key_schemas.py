from datetime import UTC, datetime

from x25.api.key_schemas import Budgets, KeyInfo, RotateRequest
from x25.state.api_key import ApiKey
from x25.state.ceilings import Ceilings

KEY = ApiKey("k1", "acme", "h" * 64, datetime(2026, 1, 1, tzinfo=UTC), day_nusd=1_500_000_000)


def test_a_key_is_told_without_its_hash():
    told = KeyInfo.of(KEY).model_dump_json()
    assert "hhhh" not in told
    assert KeyInfo.of(KEY).budgets == Budgets(usd_per_call=None, usd_per_day=1.5, usd_per_month=None)


def test_ceilings_are_told_in_dollars():
    assert Budgets.of(Ceilings(1, None, 10**9)) == Budgets(
        usd_per_call=1e-9, usd_per_day=None, usd_per_month=1.0
    )


def test_an_overlap_is_an_hour_where_nothing_is_said():
    assert RotateRequest().overlap_s == 3600.0
