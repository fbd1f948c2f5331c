from datetime import UTC, datetime, timedelta

import pytest

from x25.routing.plan.org_settings import OrgSettings
from x25.state.queries.call_pages import CallFilter
from x25.state.queries.periods import Period, Totals
from x25.terminal.chat.agent import ChatAgent
from x25.terminal.figures import (
    ceilings_of,
    measured_by,
    read_home,
    read_observed,
    reference_name,
    stage_now,
)
from x25.terminal.viewers import OWNER

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_home_equals_a_recomputation_from_the_log(filled):
    cascade, calls = filled
    today = datetime.now(UTC).date()
    for org in ("acme", None):
        found = await read_home(cascade.services, org, today)
        week = [
            one
            for one in calls
            if org in (None, one.org) and today - timedelta(days=6) <= one.created_at.date() <= today
        ]
        assert found.week.total_calls == len(week)
        assert found.week.saved_nusd == found.saved.value == sum(one.saved_nusd for one in week)
        scores = [one.quality_score for one in week if one.quality_score is not None]
        assert found.quality.value == pytest.approx(sum(scores) / len(scores))
        month = [
            one for one in calls if org in (None, one.org) and f"{one.created_at:%Y-%m}" == f"{today:%Y-%m}"
        ]
        assert found.month.spent_nusd == sum(one.paid_nusd for one in month)
        right = [
            one.decision["right_prob"]
            for one in calls
            if org in (None, one.org) and one.quality_score is not None
        ]
        assert found.believed.value == pytest.approx(sum(right) / len(right))
        assert (found.gain is None) == (org is None)
        assert found.simulated == 1.0


async def test_a_period_equals_a_recomputation_from_the_log(filled):
    cascade, calls = filled
    period = Period.ending(datetime.now(UTC).date(), 30)
    found = await read_observed(cascade.services, CallFilter("beta", period))
    mine = [one for one in calls if one.org == "beta" and one.created_at.date() in period]
    assert len(found.points) == 30
    assert sum(one.totals.saved_nusd for one in found.points) == sum(one.saved_nusd for one in mine)
    assert sum(one.totals.total_calls for one in found.models) == len(mine) == found.rates.calls
    assert sum(one.calls for one in found.tasks) == len(list(mine))
    for named in ({"model_id": "sim/large-5"}, {"tier": "slm"}, {"model_id": "sim/large-5", "tier": "slm"}):
        part = [one for one in mine if all(getattr(one, name) == value for name, value in named.items())]
        narrowed = await read_observed(cascade.services, CallFilter("beta", period, **named))
        assert narrowed.totals.total_calls == len(narrowed.lines) == len(part)
        assert narrowed.totals.saved_nusd == sum(one.saved_nusd for one in part)
        assert bool(narrowed.percentiles) == bool(part)


async def test_what_an_org_set_and_reached(filled):
    cascade, calls = filled
    services = cascade.services
    assert await ceilings_of(services, None) == await ceilings_of(services, "beta") == []
    await services.store.org_settings.change("beta", lambda _: {"budgets": {"usd_per_month": 2.0}}, "")
    services.org_settings._pages.clear()
    (month,) = await ceilings_of(services, "beta")
    assert (month.name, month.ceiling_nusd) == ("month", 2_000_000_000)
    assert (await stage_now(services, "beta")).total_calls == len([one for one in calls if one.org == "beta"])
    assert await measured_by(services, None, Totals()) == "no answer was scored yet"
    assert "a judge scored 25 % of" in await measured_by(services, "beta", Totals(total_calls=4, judged=1))


async def test_the_reference_is_the_orgs_own_where_it_named_one(filled):
    services = filled[0].services
    named = next(name for name in services.models if name != services.reference.model_id)
    services.org_settings.keep("beta", OrgSettings.parse({"reference_model": named}), services.clock_s())
    assert await reference_name(services, "beta") == named
    assert (await read_home(services, "beta", services.now().date())).reference_model == named
    answer = (await ChatAgent(filled[0], OWNER, "beta").ask("What is the reference model?")).answer
    assert answer.figures == {"model": named}
    saved = (await ChatAgent(filled[0], OWNER, "beta").ask("How much was saved?")).answer
    assert f"on the reference model (now {named})" in saved.words
    services.org_settings.forget("beta")
    assert await reference_name(services, None) == services.reference.model_id
