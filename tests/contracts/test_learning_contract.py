"""What the learner's memory promises on every database."""

import asyncio
from typing import Any

import pytest

from x25.state.learning.posterior_statements import POOLED
from x25.state.lessons import Watch
from x25.state.store import Store, open_store


async def learn(store: Store, call_id: str, *, org: str = "acme", step: int = 0, **changes: Any) -> bool:
    lesson: dict[str, Any] = {
        "task_cell": "code", "model_id": "v/small", "tier": "slm", "success": 0.75, "failure": 0.25,
        "selection": (0.75, 0.5), "org_calls": 0, "gamma": 0.5,
    }  # fmt: skip
    return await store.posteriors.add_evidence(org, call_id, step, **(lesson | changes))


async def test_what_is_learnt_in_any_cell_is_pooled_over_all_by_writers_at_once(
    store: Store, database_url: str
):
    async with await open_store(database_url) as other:
        await asyncio.gather(*(
            learn(one, f"c{n}", task_cell=f"cell-{n % 3}", org_calls=n, watch=Watch(0.25, -0.5, 1, 1.0))
            for n in range(60) for one in (store, other)
        ))  # fmt: skip
    (pooled,) = await store.posteriors.read_pooled("acme")
    assert (pooled.task_cell, pooled.successes, pooled.failures) == (POOLED, 45.0, 15.0)
    assert (pooled.reward_total, pooled.predicted_total, pooled.weight_total) == (45.0, 30.0, 60.0)
    assert (pooled.drift_up, pooled.drift_down, pooled.drift_calls, pooled.fast_weight) == (
        15.0,
        0.0,
        60,
        60.0,
    )
    cells = await store.posteriors.read_all("acme")
    assert [(cell.task_cell, cell.weight_total) for cell in cells] == [(f"cell-{n}", 20.0) for n in range(3)]


async def test_levels_are_the_asked_cell_and_the_pool(store: Store):
    await learn(store, "c1")
    await learn(store, "c2", task_cell="qa", model_id="v/big")
    cells, pooled = await store.posteriors.read_levels("acme", "code")
    assert {name: one.task_cell for name, one in cells.items()} == {"v/small": "code"}
    assert {name: one.task_cell for name, one in pooled.items()} == {"v/small": POOLED, "v/big": POOLED}


async def test_of_writers_that_see_a_drift_one_begins_anew_and_enters_it(store: Store, database_url: str):
    for n in range(30):
        await learn(store, f"c{n}", org_calls=n, gamma=1.0, watch=Watch(-1.0, 0.5, 1, 0.5))
    (pooled,) = await store.posteriors.read_pooled("acme")
    async with await open_store(database_url) as other:
        done = await asyncio.gather(
            *(
                one.transact(
                    lambda connection, one=one: one.posteriors.begin_anew(
                        connection, "acme", pooled, keep=3.0, record={"kind": "drift"}
                    )
                )
                for one in (store, other) * 3
            )
        )
    assert sorted(done) == [False] * 5 + [True]
    assert [entry.record for entry in await store.audit.tail("acme", 9)] == [{"kind": "drift"}]
    cells, pooled = await store.posteriors.read_levels("acme", "code")
    cell, pool = cells["v/small"], pooled["v/small"]
    assert (cell.weight, cell.weight_total, cell.successes) == (0.0, 0.0, 22.5)
    assert pool.weight == pool.weight_total == pytest.approx(6.0)
    assert pool.reward_sum / pool.weight == pytest.approx(0.75)
    assert (pool.drift_down, pool.drift_calls, pool.drifts, pool.drifted_at) == (0.0, 0, 1, 29)


async def test_rescues_are_counted_with_their_tries(store: Store):
    for n, rescued in enumerate([None, True, False, True]):
        await learn(store, "c1", step=n, selection=None, rescued=rescued)
    for evidence in [*await store.posteriors.read_all("acme"), *await store.posteriors.read_pooled("acme")]:
        assert (evidence.rescue_tries, evidence.rescues) == (3, 2)
