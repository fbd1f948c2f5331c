"""What budgets and labels promise on every database while many write at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from x25.state.ceilings import Ceilings, Imposed
from x25.state.errors import OverBudget
from x25.state.learning.judge_tables import count_label
from x25.state.money.budgets import Budget, Charge, day_account
from x25.state.records import Attempt

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
EDGES = (0.2, 0.4, 0.6, 0.8)


KEYS_MONTH = Budget("", day_account(NOON, "k1"), None).under(Imposed("key", Ceilings(month_nusd=1_000)))


@pytest.mark.parametrize("budget", [Budget.per_call(100), Budget.per_day(1_000, NOON), KEYS_MONTH])
async def test_reservations_made_at_once_stay_within_the_limit(store, budget):
    charge = Charge((budget,))

    async def start(number):
        attempt = Attempt(
            attempt_id=f"a{number}", org="acme", call_id=f"c{number}", step=0, kind="answer", model_id="v/m",
            tier="slm", deployment="d", status="started", reserved_nusd=170, started_at=NOON,
        )  # fmt: skip
        try:
            await store.attempts.start(attempt, charge, opens_call=True)
        except OverBudget:
            return False
        return True

    begun = await asyncio.gather(*(start(number) for number in range(60)))
    account = (await store.budgets.read("acme", [budget.account]))[budget.account]
    assert account.calls == sum(begun) < 60
    limit_nusd = budget.limit_nusd(account.calls) or budget.month_nusd
    assert account.spent_nusd == 170 * account.calls <= limit_nusd
    assert await store.attempts.spent_nusd("acme") == account.spent_nusd


async def test_labels_counted_at_once_are_all_there(store):
    async def one(number):
        await store.transact(lambda connection: count_label(connection, "acme", "j", EDGES, number % 5, 0.5))

    await asyncio.gather(*(one(number) for number in range(60)))
    counts = (await store.judge_tables.counts("acme", EDGES))["j"]
    assert counts.right == counts.wrong == (6.0,) * 5
