"""What keys, settings of orgs and sums by day promise on every database."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from x25.state.ceilings import Ceilings
from x25.state.errors import ExpiredToken, Forbidden, InvalidRequest
from x25.state.records import Call
from x25.state.store import open_store

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


async def test_a_key_is_renewed_once_however_many_ask_for_it(store):
    secret, key = await store.keys.create("acme", 9, scopes=("call",), ceilings=Ceilings(month_nusd=5))
    found = await asyncio.gather(
        *(store.keys.rotate(key.key_id, 0.0) for _ in range(6)), return_exceptions=True
    )
    renewed = [one for one in found if isinstance(one, tuple)]
    assert len(renewed) == 1
    with pytest.raises(ExpiredToken):
        await store.keys.authenticate(secret)
    assert (await store.keys.authenticate(renewed[0][0])).ceilings == Ceilings(month_nusd=5)


async def test_a_key_revoked_at_one_store_is_refused_at_the_other(database_url):
    async with await open_store(database_url) as one, await open_store(database_url) as other:
        secret, key = await one.keys.create("acme")
        await other.keys.authenticate(secret)
        await one.keys.revoke(key.key_id)
        with pytest.raises(Exception, match="was revoked"):
            await other.keys.authenticate(secret)


async def test_a_setup_link_makes_one_account_however_many_redeem_it(database_url):
    async with await open_store(database_url) as one, await open_store(database_url) as other:
        token = await one.setups.issue()
        tries = ((one, other)[n % 2].setups.redeem(token, f"admin-{n}", "h") for n in range(8))
        found = await asyncio.gather(*tries, return_exceptions=True)
        made = [each for each in found if not isinstance(each, BaseException)]
        assert len(made) == 1
        assert all(isinstance(each, Forbidden) for each in found if isinstance(each, BaseException))
        assert [each.name for each in await other.accounts.list()] == [made[0].name]


async def test_changes_of_settings_at_once_are_all_kept(database_url):
    def setting(name):
        return lambda now: {**now, name: 1}

    async with await open_store(database_url) as one, await open_store(database_url) as other:
        changes = ((one, other)[n % 2].org_settings.change("acme", setting(f"s{n}"), "") for n in range(10))
        await asyncio.gather(*changes)
        assert len(await one.org_settings.read("acme")) == 10
        assert (await other.audit.verify("acme")).total_records == 10

        def refuse(now):
            raise InvalidRequest("no", field="x")

        with pytest.raises(InvalidRequest):
            await one.org_settings.change("beta", refuse, "")
        assert await one.org_settings.read("beta") == {}


async def test_sums_by_day_and_by_choice_count_each_call_once(store):
    calls = [
        Call(
            call_id=f"c{n}", org="acme", created_at=NOON + timedelta(hours=8 * n), status="answered", task_type="qa",
            task_cell="qa", difficulty=0.0, model_id="v/m", provider="v", tier="slm", cost_nusd=10**9 + n,
            judge_cost_nusd=1, reference_cost_nusd=3 * 10**9, quality_score=0.5, quality_source="judge",
            latency_ms=2.0, cascade_steps=1, escalations=0, fallbacks=0, propensity=1.0, router="auto",
            simulated=True, record_hash="", decision={"tokens": [7, 0, 3]},
        )
        for n in range(9)
    ]  # fmt: skip
    await asyncio.gather(*(store.calls.record(call, {"n": n}) for n, call in enumerate([*calls, *calls])))
    days = await store.rollups.days("acme", date(2025, 1, 1), date(2025, 1, 4))
    assert [(one.day.day, one.total_calls) for one in days] == [(1, 2), (2, 3), (3, 3), (4, 1)]
    assert sum(one.cost_nusd for one in days) == sum(call.cost_nusd for call in calls)
    (choice,) = await store.rollups.choices("acme")
    assert (choice.total_calls, choice.prompt_tokens, choice.judged, choice.quality) == (9, 63, 9, 4.5)
    assert isinstance(choice.cost_nusd, int)


async def test_no_account_has_a_name_that_cannot_be_kept(store):
    await store.accounts.create("root", "h", is_admin=True)
    for name in ("root\x00", "\x00", "", "x" * 121):
        assert await store.accounts.by_name(name) is None
