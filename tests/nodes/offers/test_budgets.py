import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from x25.nodes.dispatch import dispatch
from x25.nodes.judge import judge
from x25.nodes.offers.budgets import affordable, budgets_of, price_multiplier, read_allowances
from x25.nodes.offers.situation import derive_situation
from x25.routing.plan.policy import Policy
from x25.state.errors import NoEligibleModel
from x25.state.money.budgets import Budget
from x25.state.records import nusd_from_usd
from x25.state.working_memory import Allowance

PER_CALL, PER_DAY = "budget_usd_per_call", "budget_usd_per_day"


def budget_of(call):
    return budgets_of(Policy.parse(call.policy), call.opening.started_at)[0]


def attempts_of(call):
    return [attempt for answer in call.answers for attempt in answer.attempts]


async def spend(services, budget, nusd, calls, org="default"):
    sql = f"INSERT INTO budgets VALUES ('{org}', '{budget.account}', {nusd}, {calls}, 0)"
    await services.store.transact(lambda connection: connection.exec_driver_sql(sql).rowcount)


async def spend_more(services, budget, nusd):
    sql = f"UPDATE budgets SET spent_nusd = spent_nusd + {nusd} WHERE account = '{budget.account}'"
    await services.store.transact(lambda connection: connection.exec_driver_sql(sql).rowcount)


async def test_a_call_without_budget_has_no_allowance_and_the_usual_price(walk, services):
    call = await walk("thompson_select")
    day = Budget.per_day(None, call.opening.started_at)
    assert budgets_of(Policy.parse(call.policy), call.opening.started_at) == (day,)
    assert await read_allowances((), call.org, call.opening.started_at, services.store) == {}
    assert call.selection.allowances == {}
    assert price_multiplier({}) == 1.0
    situation = await services.situations.of(call, services)
    assert situation.charge(situation.offers(), "sim/tiny-1").budgets == (day,)


async def test_a_days_budget_counts_all_calls_of_the_org_judgements_included(walk_to_model, services):
    free = await walk_to_model("update_posterior")
    assert {one.kind for one in attempts_of(free)} == {"answer", "judge"}
    day = Budget.per_day(None, free.opening.started_at)
    account = (await services.store.budgets.read("default", [day.account]))[day.account]
    assert (account.spent_nusd, account.calls) == (free.spent_nusd, 1)
    ceiling_usd = (free.spent_nusd + 1) / 1e9
    with pytest.raises(NoEligibleModel, match="budget_usd_per_day"):
        await walk_to_model("thompson_select", policy={PER_DAY: ceiling_usd})
    call = await walk_to_model("update_posterior", policy={PER_DAY: 1.0})
    assert call.selection.allowances[PER_DAY].left_usd == pytest.approx(1.0 - free.spent_nusd / 1e9)
    account = (await services.store.budgets.read("default", [day.account]))[day.account]
    assert (account.spent_nusd, account.calls) == (free.spent_nusd + call.spent_nusd, 2)


async def test_the_day_of_another_org_is_another_one(walk_to_model, services):
    call = await walk_to_model("update_posterior", org="other")
    day = Budget.per_day(None, call.opening.started_at).account
    assert (await services.store.budgets.read("default", [day]))[day].spent_nusd == 0


def test_the_tightest_budget_sets_the_price():
    loose, tight = Allowance(0.5, 1.0, 0.1), Allowance(2.5, 1.0, 0.1)
    assert price_multiplier({PER_CALL: loose, PER_DAY: tight}) == 2.5
    assert price_multiplier({PER_CALL: loose}) == 0.5


async def test_overspending_raises_the_price_of_a_dollar_and_saving_lowers_it(walk, services):
    async def quality_price(**request):
        call = await walk("estimate_difficulty", **request)
        return (await derive_situation(call, services)).terms.prices.quality_price

    prices = []
    for spent, org in ((0, "saver"), (100_000_000, "even"), (200_000_000, "spender")):
        await spend(services, Budget.per_call(1_000_000), spent, 100, org)
        prices.append(await quality_price(policy={PER_CALL: 0.001}, org=org))
    assert prices[1] == pytest.approx(await quality_price())
    assert prices[0] < prices[1] < prices[2]


async def test_an_org_beyond_its_mean_cost_is_left_the_cheapest_model(walk, services):
    await spend(services, Budget.per_call(1_000_000), 900_000_000, 10)
    call = await walk("thompson_select", policy={PER_CALL: 0.001})
    assert len(call.selection.beliefs) == 1
    assert call.decision.propensity == pytest.approx(1.0)
    assert all(PER_CALL in reason for reason in call.selection.removed.values())
    situation = await services.situations.of(call, services)
    charge = situation.charge(situation.offers(), call.decision.model_id)
    assert charge.budgets == (budget_of(call), Budget.per_day(None, call.opening.started_at))
    assert charge.is_cheapest


async def test_the_choice_among_affordable_models_keeps_a_propensity_under_its_allowance(walk):
    call = await walk("thompson_select", policy={PER_CALL: 0.05})
    assert 0.0 < call.decision.propensity <= 1.0
    assert call.selection.allowances[PER_CALL].left_usd == pytest.approx(0.15)


async def test_a_spent_day_refuses_to_ask_anybody_and_names_the_key(walk, services):
    budget = Budget.per_day(1_000_000, services.now())
    await spend(services, budget, 1_000_000, 10)
    with pytest.raises(NoEligibleModel, match="budget_usd_per_day") as refused:
        await walk("thompson_select", policy={PER_DAY: 0.001})
    assert len(refused.value.removed) == 6


async def test_a_new_day_begins_with_nothing_spent(walk, services):
    await spend(services, Budget.per_day(1, services.now()), 10**12, 10)
    tomorrow = replace(services, now=lambda: services.now() + timedelta(days=1))
    assert (await walk("thompson_select", using=tomorrow, policy={PER_DAY: 1.0})).decision.model_id


async def test_a_call_refused_for_a_spent_day_is_served_under_its_id_the_next_day(walk, services):
    await spend(services, Budget.per_day(1_000_000, services.now()), 1_000_000, 10)
    request = {"call_id": "again", "policy": {PER_DAY: 0.001}}
    with pytest.raises(NoEligibleModel):
        await walk("thompson_select", **request)
    tomorrow = replace(services, now=lambda: services.now() + timedelta(days=1))
    assert (await walk("thompson_select", using=tomorrow, **request)).decision.model_id


async def test_the_account_holds_what_the_call_cost_judge_included(walk_to_model, services):
    call = await walk_to_model("update_posterior", policy={PER_CALL: 0.05})
    budget = budget_of(call)
    account = (await services.store.budgets.read("default", [budget.account]))[budget.account]
    assert account.calls == 1
    assert account.spent_nusd == call.spent_nusd > 0
    assert {one.kind for one in attempts_of(call)} == {"answer", "judge"}


async def test_an_answer_the_budget_cannot_judge_is_kept_unjudged(walk_to_model, services):
    await spend(services, Budget.per_call(1_000), 10**9, 1)
    call = await walk_to_model("update_posterior", policy={PER_CALL: 1e-6})
    assert call.answers[0].verdict.source == "estimate"
    assert [one.kind for one in attempts_of(call)] == ["answer"]


async def test_a_request_others_were_faster_to_pay_falls_back_to_the_cheapest_model(
    walk, services, with_decision
):
    call = await walk("thompson_select", policy={PER_CALL: 0.02})
    arms = (await services.situations.of(call, services)).offers().arms
    dear, cheap = (pick(arms, key=lambda arm: arm.expected_cost_nusd).model_id for pick in (max, min))
    call = with_decision(call, model_id=dear)
    await spend(services, budget_of(call), 10**9, 1)
    call = replace(call, **await dispatch(call, services))
    (unanswered,) = call.answers
    assert (unanswered.failure.code, unanswered.attempts) == ("over_budget", ())
    call = replace(call, **await judge(call, services))
    assert (call.transitions[-1].kind, call.decision.model_id) == ("fallback", cheap)
    call = replace(call, **await dispatch(call, services))
    assert [answer.model_id for answer in call.bought] == [cheap]


async def test_a_call_that_others_overtook_everywhere_is_refused_by_the_budgets_name(walk, services):
    call = await walk("thompson_select", policy={PER_DAY: 0.02})
    await spend(services, budget_of(call), 20_000_000, 9)
    asked = set()

    async def go_on(call):
        for _ in range(9):
            call = replace(call, **await dispatch(call, services))
            asked.add(call.answers[-1].model_id)
            call = replace(call, **await judge(call, services))

    with pytest.raises(NoEligibleModel, match="budget_usd_per_day leaves too little") as refused:
        await go_on(call)
    assert asked <= refused.value.removed.keys()
    assert all("budget_usd_per_day" in refused.value.removed[model_id] for model_id in asked)
    assert await services.store.attempts.for_call("default", call.call_id) == []


async def test_a_providers_failure_is_not_taken_for_a_spent_budget(walk, services, fault):
    fault("500")
    call = await walk("dispatch", policy={PER_DAY: 0.5})
    await spend_more(services, budget_of(call), 500_000_000)
    for _ in range(9):
        call = replace(call, **await judge(call, services))
        if call.transitions[-1].decision is None:
            break
        call = replace(call, **await dispatch(call, services))
    assert call.transitions[-1].kind == "stop"
    assert {answer.failure.code for answer in call.answers} == {"server", "over_budget"}


@pytest.mark.slow
@pytest.mark.parametrize(("key", "dollars"), [(PER_CALL, 0.0004), (PER_DAY, 0.02)])
async def test_sixty_calls_at_once_never_pass_the_budget_by_more_than_the_guard(walk, services, key, dollars):
    async def one(number):
        try:
            return await walk("update_posterior", policy={key: dollars}, prompt=f"What is {number} times 3?")
        except NoEligibleModel:
            return None

    calls = [call for call in await asyncio.gather(*map(one, range(60))) if call is not None]
    spent = sum(call.spent_nusd for call in calls)
    allowed = nusd_from_usd(dollars) * (len(calls) + 2) if key == PER_CALL else nusd_from_usd(dollars)
    assert calls
    assert 0 < spent <= allowed
    account = budget_of(calls[0]).account
    assert (await services.store.budgets.read("default", [account]))[account].spent_nusd == spent


async def test_the_cheapest_arm_is_kept_under_a_mean_cost_and_not_beyond_a_days_ceiling(walk, services):
    arms = (await derive_situation(await walk("estimate_difficulty"), services)).arms
    bounds = {arm.model_id: 10**7 for arm in arms}
    broke = Allowance(multiplier=1.0, left_usd=-1.0, call_usd=0.001)
    kept, removed = affordable(arms, bounds, {PER_CALL: broke})
    assert [arm.expected_cost_nusd for arm in kept] == [min(arm.expected_cost_nusd for arm in arms)]
    assert len(removed) == 5
    assert affordable(arms, bounds, {PER_DAY: broke})[0] == []
    assert affordable([], {}, {PER_DAY: broke}) == ([], {})


async def test_what_the_call_spent_since_is_no_longer_left(walk, services):
    arms = (await derive_situation(await walk("estimate_difficulty"), services)).arms
    bounds = {arm.model_id: arm.expected_cost_nusd for arm in arms}
    day = {PER_DAY: Allowance(multiplier=1.0, left_usd=1.0, call_usd=1.0)}
    assert affordable(arms, bounds, day)[1] == {}
    kept, removed = affordable(arms, bounds, day, spent_nusd=10**9)
    assert kept == []
    assert removed.keys() == bounds.keys()
