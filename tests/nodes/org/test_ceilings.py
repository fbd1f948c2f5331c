from dataclasses import replace

import pytest

from x25.nodes.org.ceilings import ceilings_on, check_bounded, check_kept
from x25.routing.plan.org_settings import Allowed, OrgSettings
from x25.state.ceilings import Ceilings, Imposed
from x25.state.errors import InvalidRequest
from x25.state.types import Context, DoorContext

OF_KEY = Imposed("key", Ceilings(day_nusd=5), "k1")
SOUND = [{"role": "user", "content": [{"type": "hologram", "hologram": {"url": "x"}}]}]


def test_a_call_is_under_its_orgs_ceilings_and_its_keys():
    settings = OrgSettings(budgets=Allowed(usd_per_month=1.0))
    assert ceilings_on(OrgSettings(), Context()) == ()
    assert ceilings_on(OrgSettings(), DoorContext(imposed=(OF_KEY,))) == (OF_KEY,)
    both = ceilings_on(settings, DoorContext(imposed=(OF_KEY,)))
    assert both == (Imposed("org", Ceilings(month_nusd=10**9)), OF_KEY)


def test_what_nobody_can_price_is_refused_under_a_ceiling_alone():
    check_bounded(SOUND, {}, ())
    with pytest.raises(InvalidRequest):
        check_bounded(SOUND, {}, (OF_KEY,))


def test_a_gateway_that_keeps_words_refuses_the_calls_of_an_org_that_lets_none_be_kept(services):
    keeps = replace(services.limits, resumable=True)
    check_kept(OrgSettings(privacy="hashes"), services.limits)
    check_kept(OrgSettings(privacy="prompts"), keeps)
    with pytest.raises(InvalidRequest, match="X25_CHECKPOINTS=sync"):
        check_kept(OrgSettings(privacy="hashes"), keeps)
