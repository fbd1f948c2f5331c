import logging
import math

import pytest

from x25.state.records import Evidence

LESSON = {
    "task_cell": "qa", "model_id": "v/m", "tier": "mid", "success": 1.0, "failure": 0.0, "selection": None,
    "org_calls": 3, "gamma": 0.9,
}  # fmt: skip


async def learn(store, call_id: str = "c1", **changes) -> bool:
    return await store.posteriors.add_evidence("acme", call_id, 0, **(LESSON | changes))


async def damage(store, assignment: str) -> None:
    update = f"UPDATE posteriors SET {assignment}"
    if "WHERE" not in assignment:
        update += " WHERE task_cell <> '*'"
    assert await store.transact(lambda connection: connection.exec_driver_sql(update).rowcount)


async def test_answer_that_was_no_first_choice_adds_counts_only(store):
    assert await learn(store)
    assert await store.posteriors.read_all("acme") == [
        Evidence("v/m", "qa", "mid", successes=1.0, failures=0.0, calls_seen=3)
    ]


async def test_same_evidence_under_another_model_is_still_a_repetition(store):
    await learn(store)
    assert not await learn(store, model_id="v/other")
    assert list(await store.posteriors.read("acme", "qa")) == ["v/m"]


@pytest.mark.parametrize(
    "changes",
    [
        {"success": math.nan}, {"failure": -0.1}, {"selection": (math.inf, 0.5)},
        {"selection": (0.5, math.nan)}, {"gamma": 0.0}, {"gamma": 1.01}, {"gamma": math.nan},
    ],
)  # fmt: skip
async def test_evidence_out_of_range_is_refused_before_it_is_written(store, changes):
    with pytest.raises(ValueError, match="must be"):
        await learn(store, **changes)
    assert await store.posteriors.read_all("acme") == []
    assert await learn(store)


@pytest.mark.parametrize(
    "assignment",
    [
        "successes = 9e999",
        "failures = -1",
        "weight = 2e9",
        "reward_sum = 'much'",
        "tier = 'gold'",
        "calls_seen = -1",
        "reward_total = 9e999",
        "weight_total = 'many'",
        "fast_weight = -0.1",
        "drift_up = -1",
        "drift_down = 2e9",
        "drift_calls = 'x'",
        "rescues = -2",
        "drifted_at = 1e12",
    ],
)
async def test_damaged_cell_reads_as_no_evidence_and_is_logged_once(store, caplog, assignment):
    await learn(store)
    await damage(store, assignment)
    with caplog.at_level(logging.WARNING, logger="x25.state.learning.posteriors"):
        for _ in range(3):
            (evidence,) = (await store.posteriors.read("acme", "qa")).values()
    assert (evidence.successes, evidence.failures, evidence.weight, evidence.calls_seen) == (0.0, 0.0, 0.0, 0)
    assert evidence.tier in ("slm", "mid")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_damage_of_one_cell_leaves_the_others(store):
    await learn(store)
    await learn(store, "c2", task_cell="code")
    await damage(store, "successes = -5 WHERE task_cell = 'qa'")
    assert [evidence.successes for evidence in await store.posteriors.read_all("acme")] == [1.0, 0.0]


@pytest.mark.parametrize(
    "assignment", ["calls_seen = 'late'", "weight = 'x'", "drift_up = 9e999", "reward_sum = -9e999"]
)
async def test_evidence_can_be_added_to_damaged_rows(store, assignment):
    await learn(store, selection=(1.0, 0.5))
    await damage(store, f"{assignment} WHERE 1 = 1")
    assert await learn(store, "c2", selection=(1.0, 0.5))
    cells, pooled = await store.posteriors.read_levels("acme", "qa")
    assert all(math.isfinite(one.weight) for one in (cells["v/m"], pooled["v/m"]))


async def test_damaged_pool_leaves_the_cell(store, caplog):
    await learn(store, selection=(1.0, 0.5))
    await damage(store, "weight_total = -1 WHERE task_cell = '*'")
    cells, pooled = await store.posteriors.read_levels("acme", "qa")
    assert (cells["v/m"].weight, pooled["v/m"]) == (1.0, Evidence("v/m", "*", "mid"))
    assert len(caplog.records) == 1
