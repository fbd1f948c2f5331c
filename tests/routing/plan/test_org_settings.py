import pytest

from x25.routing.plan.org_settings import OrgSettings, merged
from x25.state.ceilings import Ceilings
from x25.state.errors import InvalidRequest
from x25.state.org_wishes import AS_THE_GATEWAY, OrgWishes
from x25.state.rates import Rates

FULL = {
    "optimize_for": {"cost": 1.0}, "quality_bar": 0.9, "judge": "v/judge", "privacy": "inputs", "retention_days": 30.0,
    "reference_model": "v/big", "budgets": {"usd_per_call": 0.5, "usd_per_day": 2.0, "usd_per_month": 9.0},
    "limits": {
        "requests_per_minute": 60, "tokens_per_minute": 90_000, "concurrent_calls": 5, "tokens_per_day": 1_000_000,
        "tokens_per_month": 20_000_000,
    },
    "mode": "cache", "cache": "exact", "cache_ttl_s": 600.0,
}  # fmt: skip


def test_what_was_written_is_read_and_kept_as_it_was():
    settings = OrgSettings.parse(FULL)
    assert settings.to_json() == settings.kept() == FULL
    assert settings.budgets.ceilings == Ceilings(500_000_000, 2_000_000_000, 9_000_000_000)
    assert settings.ceilings == Ceilings(500_000_000, 2_000_000_000, 9_000_000_000, 1_000_000, 20_000_000)
    assert settings.limits.rates == Rates(60, 90_000, 5)
    assert settings.wishes == OrgWishes(0.9, "v/judge", "inputs", "v/big")


def test_nothing_set_is_as_the_gateway_says():
    for nothing in ({}, {"judge": None, "budgets": None}, {"judge": "auto"}):
        settings = OrgSettings.parse(nothing)
        assert settings.wishes == AS_THE_GATEWAY
        assert not settings.budgets.ceilings
    assert OrgSettings.parse({"budgets": {}}).kept() == {}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([], "body"), ("x", "body"), ({"qualitybar": 1}, "qualitybar"), ({"quality_bar": float("nan")}, "quality_bar"),
        ({"quality_bar": True}, "quality_bar"), ({"optimize_for": 3}, "optimize_for"),
        ({"optimize_for": {"speed": 1}}, "optimize_for.speed"),
        ({"limits": {"tokens_per_minute": 0}}, "limits.tokens_per_minute"),
        ({"limits": {"rpm": 5}}, "limits.rpm"),
        ({"budgets": {"usd_per_day": "5"}}, "budgets.usd_per_day"),
        ({"retention_days": -1}, "retention_days"), ({"privacy": 3}, "privacy"), ({"judge": "x" * 201}, "judge"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_field(wrong, field):
    with pytest.raises(InvalidRequest) as caught:
        OrgSettings.parse(wrong)
    assert caught.value.field == field


def test_a_change_sets_unsets_and_leaves():
    current = {"judge": "none", "quality_bar": 0.5, "budgets": {"usd_per_day": 1, "usd_per_month": 2}}
    change = {"judge": None, "retention_days": 3, "budgets": {"usd_per_day": None, "usd_per_call": 4}}
    assert merged(current, change) == {
        "quality_bar": 0.5, "retention_days": 3, "budgets": {"usd_per_month": 2, "usd_per_call": 4},
    }  # fmt: skip
    assert merged({}, {"budgets": {"usd_per_day": 1}}) == {"budgets": {"usd_per_day": 1}}
    assert merged(current, {"budgets": None}).keys() == {"judge", "quality_bar"}
    assert current["judge"] == "none"
