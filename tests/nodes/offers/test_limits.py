from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.nodes.offers.limits import CAP, cap_named, policy_under, reference_of
from x25.routing.plan.policy import Policy
from x25.state.ceilings import Ceilings, Imposed
from x25.state.org_wishes import OrgWishes
from x25.state.types import DoorContext
from x25.state.working_memory import Opening

OPENING = Opening(datetime(2026, 1, 1, tzinfo=UTC), 0.0, 2, explain=True)


def under(**changes):
    return replace(OPENING, **changes)


@pytest.mark.parametrize(
    ("asked", "of_org", "of_key", "cap", "name"),
    [
        (None, None, None, None, CAP), (2.0, None, None, 2.0, CAP), (2.0, 1, None, 1e-9, "org_budget_usd_per_call"),
        (1e-9, 5, 6, 1e-9, CAP), (None, 5, 3, 3e-9, "key_budget_usd_per_call"),
    ],
)  # fmt: skip
def test_the_lowest_cap_holds_and_is_called_by_its_owner(asked, of_org, of_key, cap, name):
    imposed = (Imposed("org", Ceilings(call_nusd=of_org)), Imposed("key", Ceilings(call_nusd=of_key), "k"))
    policy, found = policy_under(Policy(max_cost_per_call_usd=asked), under(imposed=imposed))
    assert (policy.max_cost_per_call_usd, found) == (cap, name)


def test_the_orgs_bar_holds_where_the_caller_names_none():
    opening = under(wishes=OrgWishes(quality_bar=0.9))
    assert policy_under(Policy(), opening)[0].quality_bar == 0.9
    assert policy_under(Policy(quality_bar=0.2), opening)[0].quality_bar == 0.2


def test_only_the_cap_goes_by_its_owners_name():
    removed = {"a": "max_cost_per_call_usd: estimated $1", "b": "max_tier: max_cost_per_call_usd"}
    assert cap_named(removed, CAP) == removed
    named = cap_named(removed, "key_budget_usd_per_call")
    assert named == {"a": "key_budget_usd_per_call: estimated $1", "b": removed["b"]}


async def test_savings_are_measured_against_the_orgs_model_where_it_is_there(services):
    assert reference_of(OPENING, services) is services.reference
    named = under(wishes=OrgWishes(reference_model="sim/tiny-1"))
    assert reference_of(named, services).model_id == "sim/tiny-1"
    assert reference_of(under(wishes=OrgWishes(reference_model="gone/one")), services) is services.reference


async def test_ceilings_reach_every_decision_of_a_call(walk, services):
    imposed = (Imposed("key", Ceilings(call_nusd=10**9, day_nusd=2 * 10**9, month_nusd=3 * 10**9), "k1"),)
    call = await walk("thompson_select", context=DoorContext(imposed=imposed))
    situation = await services.situations.of(call, services)
    assert situation.policy.max_cost_per_call_usd == 1.0
    assert {name: one.left_usd for name, one in call.selection.allowances.items()} == {
        "key_budget_usd_per_day": 2.0, "key_budget_usd_per_month": 3.0,
    }  # fmt: skip
    day = f"{call.opening.started_at:%Y-%m-%d}"
    assert [one.account for one in situation.budgets] == [f"day:{day}", f"key:k1:{day}"]
