import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from x25.nodes.offers.budgets import affordable, budgets_of, paces_of, price_multiplier, read_paces
from x25.nodes.offers.candidates import charge_of, eligible_arms
from x25.nodes.offers.prices import plan_prices
from x25.state.errors import CallFailed, NoEligibleModel
from x25.state.money.budgets import Budget
from x25.state.records import nusd_from_usd

PER_CALL, PER_DAY = "budget_usd_per_call", "budget_usd_per_day"


async def spend(services, budget, nusd, calls, org="default"):
    sql = f"INSERT INTO budgets VALUES ('{org}', '{budget.account}', {nusd}, {calls})"
    await services.store.transact(lambda connection: connection.exec_driver_sql(sql).rowcount)


async def test_a_call_without_budget_has_no_pace_and_the_usual_price(walk, services):
    state = await walk("thompson_select")
    assert paces_of(state) == {}
    assert price_multiplier({}) == 1.0
    assert charge_of(state, services, "sim/tiny-1").budgets == ()


async def test_overspending_raises_the_price_of_a_dollar_and_saving_lowers_it(walk, services):
    policy = {PER_CALL: 0.001}
    prices = []
    for spent, org in ((0, "saver"), (100_000_000, "even"), (200_000_000, "spender")):
        await spend(services, Budget.per_call(1_000_000), spent, 100, org)
        state = await walk("estimate_difficulty", policy=policy, org=org)
        prices.append(plan_prices(state, services, await read_paces(state, services)).quality_price)
    usual = plan_prices(state, services).quality_price
    assert prices[1] == pytest.approx(usual)
    assert prices[0] < prices[1] < prices[2]


async def test_an_org_beyond_its_mean_cost_is_left_the_cheapest_model(walk, services):
    await spend(services, Budget.per_call(1_000_000), 900_000_000, 10)
    state = await walk("thompson_select", policy={PER_CALL: 0.001})
    assert len(state["thetas"]) == 1
    assert state["first_decision"]["propensity"] == pytest.approx(1.0)
    assert all("budget_usd_per_call" in reason for reason in state["removed"].values())
    assert charge_of(state, services, state["decision"]["model_id"]).is_cheapest


async def test_the_choice_among_affordable_models_keeps_a_propensity_under_its_pace(walk):
    state = await walk("thompson_select", policy={PER_CALL: 0.05})
    assert 0.0 < state["first_decision"]["propensity"] <= 1.0
    assert paces_of(state)[PER_CALL]["left_usd"] == pytest.approx(0.15)


async def test_a_spent_day_refuses_to_ask_anybody_and_names_the_key(walk, services):
    budget = Budget.per_day(1_000_000, services.now())
    await spend(services, budget, 1_000_000, 10)
    with pytest.raises(NoEligibleModel, match="budget_usd_per_day") as refused:
        await walk("thompson_select", policy={PER_DAY: 0.001})
    assert len(refused.value.removed) == 6


async def test_a_new_day_begins_with_nothing_spent(walk, services):
    await spend(services, Budget.per_day(1, services.now()), 10**12, 10)
    tomorrow = replace(services, now=lambda: services.now() + timedelta(days=1))
    state = await walk("thompson_select", using=tomorrow, policy={PER_DAY: 1.0})
    assert state["decision"]["model_id"]


async def test_the_account_holds_what_the_call_cost_judge_included(walk_to_model, services):
    state = await walk_to_model("update_posterior", policy={PER_CALL: 0.05})
    (budget,) = budgets_of(state)
    account = (await services.store.budgets.read("default", [budget.account]))[budget.account]
    assert account.calls == 1
    assert account.spent_nusd == sum(one["spent_nusd"] for one in state["attempts"]) > 0
    assert {one["kind"] for one in state["attempts"]} == {"answer", "judge"}


async def test_an_answer_the_budget_cannot_judge_is_kept_unjudged(walk_to_model, services):
    await spend(services, Budget.per_call(1_000), 10**9, 1)
    state = await walk_to_model("update_posterior", policy={PER_CALL: 1e-6})
    assert state["verdicts"][0]["source"] == "estimate"
    assert [one["kind"] for one in state["attempts"]] == ["answer"]


async def test_a_request_others_were_faster_to_pay_falls_back_to_the_cheapest_model(walk, services):
    policy = {PER_CALL: 0.02}
    state = await walk("thompson_select", policy=policy)
    arms, _ = eligible_arms(state, services, paces_of(state))
    dear, cheap = (pick(arms, key=lambda arm: arm.expected_cost_nusd).model_id for pick in (max, min))
    state["decision"] = {**state["decision"], "model_id": dear}
    await spend(services, budgets_of(state)[0], 10**9, 1)
    from x25.nodes.dispatch import dispatch
    from x25.nodes.judge import judge

    state |= await dispatch(state, services)
    assert state["unanswered"]["code"] == "over_budget"
    assert state["attempts"] == []
    state |= await judge(state, services)
    assert (state["move"], state["decision"]["model_id"]) == ("escalate", cheap)
    state |= await dispatch(state, services)
    assert state["held"][0]["model_id"] == cheap


@pytest.mark.parametrize(("key", "dollars"), [(PER_CALL, 0.0004), (PER_DAY, 0.02)])
async def test_sixty_calls_at_once_never_pass_the_budget_by_more_than_the_guard(walk, services, key, dollars):
    async def one(number):
        try:
            return await walk("update_posterior", policy={key: dollars}, prompt=f"What is {number} times 3?")
        except (NoEligibleModel, CallFailed):
            return None

    states = [state for state in await asyncio.gather(*map(one, range(60))) if state is not None]
    spent = sum(one["spent_nusd"] for state in states for one in state["attempts"])
    allowed = nusd_from_usd(dollars) * (len(states) + 2) if key == PER_CALL else nusd_from_usd(dollars)
    assert states
    assert 0 < spent <= allowed
    account = budgets_of(states[0])[0].account
    assert (await services.store.budgets.read("default", [account]))[account].spent_nusd == spent


async def test_the_cheapest_arm_is_kept_under_a_mean_cost_and_not_beyond_a_days_ceiling(walk, services):
    arms, _ = eligible_arms(await walk("estimate_difficulty"), services)
    bounds = {arm.model_id: 10**7 for arm in arms}
    broke = {"multiplier": 1.0, "left_usd": -1.0, "call_usd": 0.001}
    kept, removed = affordable(arms, bounds, {PER_CALL: broke})
    assert [arm.expected_cost_nusd for arm in kept] == [min(arm.expected_cost_nusd for arm in arms)]
    assert len(removed) == 5
    assert affordable(arms, bounds, {PER_DAY: broke})[0] == []
    assert affordable([], {}, {PER_DAY: broke}) == ([], {})
