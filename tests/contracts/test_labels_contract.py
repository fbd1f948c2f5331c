"""What labels promise on every database: the newest counts, none is lost, none taken back leaves a trace."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from x25.state.records import Attempt, Call
from x25.state.store import Store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EDGES = (0.2, 0.4, 0.6, 0.8)


async def log(store: Store, call_id: str) -> None:
    """Log a call whose one answer a judge gave .9."""
    for kind, model_id in (("answer", "v/m"), ("judge", "j/one")):
        attempt = Attempt(
            attempt_id=f"{call_id}-{kind}", org="acme", call_id=call_id, step=0, kind=kind, model_id=model_id,
            tier="slm", deployment="d", status="started", reserved_nusd=1, started_at=NOON,
        )  # fmt: skip
        await store.attempts.start(attempt)
        await store.attempts.finish(replace(attempt, status="finished", cost_nusd=1))
    await store.posteriors.add_evidence(
        "acme", call_id, 0, task_cell="qa", model_id="v/m", tier="slm", success=0.9, failure=0.1, selection=(1.8, 0.7),
        org_calls=0, gamma=1.0,
    )  # fmt: skip
    await store.calls.record(
        Call(
            call_id=call_id, org="acme", created_at=NOON, status="answered", task_type="qa", task_cell="qa",
            difficulty=0.0, model_id="v/m", provider="v", tier="slm", cost_nusd=1, judge_cost_nusd=1,
            reference_cost_nusd=1, quality_score=0.9, quality_source="judge", latency_ms=1.0, cascade_steps=1,
            escalations=0, fallbacks=0, propensity=1.0, router="auto", simulated=False, record_hash="",
        ),
        {},
    )  # fmt: skip


async def say(store: Store, call_id: str, right: float):
    return await store.labels.add("acme", call_id, right=right, source="feedback", edges=EDGES)


async def take_back(store: Store, call_id: str):
    return await store.labels.retract("acme", call_id, source="feedback", edges=EDGES)


async def test_a_label_given_many_times_at_once_counts_once(store: Store):
    await log(store, "c1")
    done = await asyncio.gather(*(say(store, "c1", 1.0) for _ in range(12)))
    assert sum(one.is_new for one in done) == 1
    assert (await store.judge_tables.counts("acme", EDGES))["j/one"].right == (0, 0, 0, 0, 1.0)
    assert await store.labels.count("acme") == 1


async def test_labels_changed_and_taken_back_at_once_leave_what_the_last_of_each_said(store: Store):
    names = [f"c{number}" for number in range(6)]
    for name in names:
        await log(store, name)
    await asyncio.gather(*(say(store, name, right / 4) for name in names for right in range(5)))
    assert {name: len(await store.labels.words("acme", name)) for name in names} == dict.fromkeys(names, 1)
    changed = (say(store, name, 1 / 3) for name in names[:3])
    await asyncio.gather(*changed, *(take_back(store, name) for name in names[3:]))
    (count,) = await store.judge_tables.label_counts("acme", EDGES)
    said = [(await store.labels.words("acme", name))[0]["right"] for name in names[:3]]
    assert (count.right, count.right + count.wrong) == (sum(said), 3.0)
    await asyncio.gather(*(take_back(store, name) for name in names for _ in range(2)))
    assert await store.judge_tables.label_counts("acme", EDGES) == []
    assert await store.labels.count("acme") == 0


async def test_a_label_and_its_retraction_at_once_end_in_one_or_the_other(store: Store):
    await log(store, "c1")
    for _ in range(6):
        await asyncio.gather(say(store, "c1", 1.0), take_back(store, "c1"))
        left, counts = await store.labels.count("acme"), await store.judge_tables.label_counts("acme", EDGES)
        assert sum(one.right for one in counts) == left
