"""What budgets and labels promise on every database while many write at once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.state.errors import OverBudget
from x25.state.learning.judge_tables import count_label
from x25.state.money.budgets import Budget, Charge
from x25.state.records import Attempt

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
EDGES = (0.2, 0.4, 0.6, 0.8)


@pytest.mark.parametrize("budget", [Budget.per_call(100), Budget.per_day(1_000, NOON)])
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
    assert account.spent_nusd == 170 * account.calls <= budget.limit_nusd(account.calls)
    assert await store.attempts.spent_nusd("acme") == account.spent_nusd


async def test_labels_counted_at_once_are_all_there(store):
    async def one(number):
        await store.transact(lambda connection: count_label(connection, "acme", "j", EDGES, number % 5, 0.5))

    await asyncio.gather(*(one(number) for number in range(60)))
    counts = (await store.judge_tables.counts("acme", EDGES))["j"]
    assert counts.right == counts.wrong == (6.0,) * 5


async def test_a_label_given_many_times_at_once_counts_once(store):
    for kind, model_id in (("answer", "v/m"), ("judge", "j/one")):
        attempt = Attempt(
            attempt_id=f"a-{kind}", org="acme", call_id="c1", step=0, kind=kind, model_id=model_id, tier="slm",
            deployment="d", status="started", reserved_nusd=1, started_at=NOON,
        )  # fmt: skip
        await store.attempts.start(attempt)
        await store.attempts.finish(replace(attempt, status="finished", cost_nusd=1))
    await store.posteriors.add_evidence(
        "acme", "c1", 0, task_cell="qa", model_id="v/m", tier="slm", success=0.9, failure=0.1, selection=None,
        org_calls=0, gamma=1.0,
    )  # fmt: skip

    async def label():
        return await store.labels.add("acme", "c1", right=1.0, source="feedback", edges=EDGES, step=0)

    done = await asyncio.gather(*(label() for _ in range(12)))
    assert sum(one.is_new for one in done) == 1
    assert (await store.judge_tables.counts("acme", EDGES))["j/one"].right == (0, 0, 0, 0, 1.0)
    assert await store.labels.count("acme") == 1
