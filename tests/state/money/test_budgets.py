import asyncio
from datetime import UTC, datetime

import pytest

from x25.state.ceilings import Ceilings, Imposed
from x25.state.errors import OverBudget
from x25.state.money.budgets import GUARD_CALLS, Account, Budget, Charge, day_account

CALL = Budget.per_call(100)
DAY = Budget.per_day(1_000, datetime(2025, 1, 1, 23, 59, tzinfo=UTC))


@pytest.fixture
def start(store, make_attempt):
    async def one(number, reserved, charge, *, opens_call=True):
        attempt = make_attempt(attempt_id=f"a{number}", call_id=f"c{number}", reserved_nusd=reserved)
        try:
            await store.attempts.start(attempt, charge, opens_call=opens_call)
        except OverBudget:
            return None
        return attempt

    return one


@pytest.fixture
def finish(store, make_attempt):
    async def one(attempt, cost, charge):
        settled = {"status": "finished", "cost_nusd": cost, "cost_source": "computed"}
        await store.attempts.finish(make_attempt(
            attempt_id=attempt.attempt_id, call_id=attempt.call_id, reserved_nusd=attempt.reserved_nusd, **settled,
        ), charge)  # fmt: skip

    return one


async def account(store, budget):
    return (await store.budgets.read("acme", [budget.account]))[budget.account]


async def test_an_account_nobody_used_stands_at_zero(store):
    assert await account(store, CALL) == Account(0, 0)


async def test_a_reservation_counts_until_the_cost_is_known(store, start, finish):
    charge = Charge((CALL, DAY))
    attempt = await start(1, 250, charge)
    assert await account(store, CALL) == Account(250, 1)
    await finish(attempt, 30, charge)
    assert await account(store, CALL) == await account(store, DAY) == Account(30, 1)


async def test_a_request_beyond_the_limit_reserves_nothing_and_is_not_written_down(store, start):
    assert await start(1, 100 * (1 + GUARD_CALLS) + 1, Charge((DAY, CALL))) is None
    assert await account(store, CALL) == await account(store, DAY) == Account(0, 0)
    assert await store.attempts.for_call("acme", "c1") == []


async def test_the_cheapest_model_may_pass_a_mean_cost_but_not_a_days_ceiling(store, start):
    assert await start(1, 5_000, Charge((CALL,), is_cheapest=True)) is not None
    assert await start(2, 5_000, Charge((DAY,), is_cheapest=True)) is None


async def test_savings_of_earlier_calls_may_be_spent(store, start, finish):
    charge = Charge((CALL,))
    for number in range(10):
        await finish(await start(number, 100, charge), 0, charge)
    assert await start(99, 100 * (11 + GUARD_CALLS), charge) is not None


@pytest.mark.parametrize("budget", [CALL, DAY])
async def test_calls_that_run_at_once_never_take_the_same_dollar(store, start, budget):
    charge = Charge((budget,))
    begun = await asyncio.gather(*(start(number, 170, charge) for number in range(60)))
    spent = await account(store, budget)
    assert spent.calls == sum(one is not None for one in begun) < 60
    assert spent.spent_nusd == 170 * spent.calls <= budget.limit_nusd(spent.calls)


async def test_another_ceiling_and_another_day_are_other_accounts(store, start):
    await start(1, 50, Charge((CALL, DAY)))
    assert await account(store, Budget.per_call(101)) == Account(0, 0)
    assert await account(store, Budget.per_day(1_000, datetime(2025, 1, 2, tzinfo=UTC))) == Account(0, 0)


async def test_a_day_without_a_ceiling_counts_what_is_spent_and_refuses_nothing(store, start, finish):
    counted = Budget.per_day(None, datetime(2025, 1, 1, tzinfo=UTC))
    assert (counted.account, counted.limit_nusd(9)) == (DAY.account, None)
    await finish(await start(1, 5_000, Charge((counted,))), 900, Charge((counted,)))
    assert await account(store, DAY) == Account(900, 1)
    assert await start(2, 101, Charge((DAY,))) is None
    assert await start(3, 100, Charge((DAY,))) is not None


def under(budget: Budget, owner: str = "org", **ceilings: int) -> Budget:
    return budget.under(Imposed(owner, Ceilings(**ceilings)))


def test_the_lower_ceiling_of_a_day_holds_under_its_name():
    assert (under(DAY, day_nusd=900).key, under(DAY, day_nusd=900).ceiling_nusd) == (
        "org_budget_usd_per_day",
        900,
    )
    assert (under(DAY, day_nusd=1_100).key, under(DAY, day_nusd=1_100).ceiling_nusd) == (
        "budget_usd_per_day",
        1_000,
    )
    month = under(DAY, "key", month_nusd=7)
    assert (month.month_nusd, month.month_key) == (7, "key_budget_usd_per_month")
    assert (month.account, month.month) == (DAY.account, ("day:2025-01-01", "day:2025-01-31"))


def test_a_key_has_an_account_of_its_own():
    assert day_account(datetime(2025, 1, 1, tzinfo=UTC), "k1") == "key:k1:2025-01-01"
    assert Budget("", "key:k1:2025-02-09", None).month == ("key:k1:2025-02-01", "key:k1:2025-02-31")


async def test_a_month_is_its_days_whether_or_not_they_had_a_ceiling(store, start, finish):
    early = Charge((Budget.per_day(None, datetime(2025, 1, 31, tzinfo=UTC)),))
    await finish(await start(1, 500, early), 400, early)
    last_month = Charge((Budget.per_day(None, datetime(2024, 12, 31, tzinfo=UTC)),))
    await start(2, 9_000, last_month)
    month = under(Budget.per_day(None, datetime(2025, 1, 1, tzinfo=UTC)), month_nusd=1_000)
    assert await store.budgets.month_nusd("acme", month) == 400
    assert await start(3, 601, Charge((month,))) is None
    assert await start(4, 600, Charge((month,))) is not None
    assert await start(5, 1, Charge((month,))) is None
    assert await store.budgets.month_nusd("acme", month) == 1_000


async def test_whichever_of_day_and_month_leaves_less_is_named(store, start, make_attempt):
    budget = under(Budget.per_day(None, datetime(2025, 1, 1, tzinfo=UTC)), day_nusd=50, month_nusd=80)
    for number, reserved, name in ((1, 51, "org_budget_usd_per_day"), (2, 81, "org_budget_usd_per_day")):
        attempt = make_attempt(attempt_id=f"a{number}", call_id=f"c{number}", reserved_nusd=reserved)
        with pytest.raises(OverBudget, match=name):
            await store.attempts.start(attempt, Charge((budget,)))
    await start(3, 45, Charge((Budget.per_day(None, datetime(2025, 1, 2, tzinfo=UTC)),)))
    with pytest.raises(OverBudget, match="org_budget_usd_per_month"):
        await store.attempts.start(
            make_attempt(attempt_id="a4", call_id="c4", reserved_nusd=36), Charge((budget,))
        )
