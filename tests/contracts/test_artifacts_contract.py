"""What the store promises of orgs' own estimators and of the refits that are due, on every database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from x25.state.errors import NotFound, StoreError
from x25.state.jobs import ABANDONED_AFTER, is_refit_due
from x25.state.records import Call
from x25.state.store import open_store

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
JUDGED = {"first_verdict": {"source": "judge", "bin": 3, "score": 0.7}}
CALL = Call(
    call_id="c1", org="acme", created_at=NOON, status="answered", task_type="qa", task_cell="qa", difficulty=0.5,
    model_id="v/m", provider="v", tier="mid", cost_nusd=100, judge_cost_nusd=10, reference_cost_nusd=900,
    quality_score=0.5, quality_source="judge", latency_ms=2.0, cascade_steps=1, escalations=0, fallbacks=0,
    propensity=1.0, router="auto", simulated=True, record_hash="", decision=JUDGED, inputs=b"\x00\x3c\xff\x00",
)  # fmt: skip


async def learn(store, org="acme", predicted=0.5, cell="qa", call_id="c1"):
    await store.posteriors.add_evidence(
        org, call_id, 0, task_cell=cell, model_id="v/m", tier="mid", success=1.0, failure=0.0,
        selection=(0.9, predicted), org_calls=0, gamma=1.0,
    )  # fmt: skip


async def predicted(store, org="acme", cell="qa"):
    query = text(
        "SELECT predicted_sum, predicted_total, reward_sum FROM posteriors WHERE org = :o AND task_cell = :c"
    )
    rows = await store.query(lambda connection: connection.execute(query, {"o": org, "c": cell}).all())
    return tuple(round(value, 9) for value in rows[0])


async def put_live(store, org="acme", parameters="{}", restated=None):
    candidate = await store.artifacts.add_candidate(org, "own", parameters, {"gain": 0.1})
    await store.artifacts.go_live(candidate, restated or {}, {"metrics": {"gain": 0.1}})
    return candidate.version


async def test_the_vector_of_a_prompt_comes_back_byte_for_byte(store):
    await store.calls.record(CALL, {"n": 1})
    await store.calls.record(replace(CALL, call_id="c2", inputs=None), {"n": 2})
    assert [(one.call_id, one.inputs) for one in await store.calls.with_inputs("acme", 9)] == [
        ("c1", CALL.inputs)
    ]
    assert await store.calls.with_inputs("other", 9) == []


async def test_forgetting_prompts_forgets_their_vectors(store):
    await store.calls.record(replace(CALL, prompt="hello"), {"n": 1})
    assert await store.erasure.forget("acme", NOON + timedelta(days=1)) == 1
    found = await store.calls.get("acme", "c1")
    assert (found.prompt, found.inputs, found.model_id) == (None, None, "v/m")


async def test_a_version_that_goes_live_retires_the_former_and_a_rollback_restores_it(store):
    first, second = await put_live(store, parameters="one"), await put_live(store, parameters="two")
    assert (first, second) == (1, 2)
    assert [one.status for one in await store.artifacts.list("acme", "own")] == ["retired", "live"]
    restored = await store.artifacts.roll_back("acme", "own", {}, {})
    assert (restored.version, restored.parameters) == (1, "one")
    assert (await store.artifacts.live("acme", "own")).parameters == "one"
    assert await store.artifacts.roll_back("acme", "own", {}, {}) is None
    assert await store.artifacts.live_version("acme", "own") is None
    with pytest.raises(NotFound):
        await store.artifacts.roll_back("acme", "own", {}, {})


async def test_every_change_is_a_link_of_the_chain_that_names_the_parameters(store):
    await put_live(store, parameters="one")
    loser = await store.artifacts.add_candidate("acme", "own", "two", {})
    await store.artifacts.reject(loser, {"metrics": {}})
    await store.artifacts.roll_back("acme", "own", {}, {})
    chain = [entry.record for entry in await store.audit.tail("acme", 9)]
    assert [(one["kind"], one["action"], one["version"]) for one in chain] == [
        ("artifact", "live", 1), ("artifact", "rejected", 2), ("artifact", "rolled back", 1),
    ]  # fmt: skip
    assert chain[1]["parameters_sha256"] == loser.parameters_sha256
    assert (await store.audit.verify("acme")).intact


async def test_two_orgs_share_no_version_no_prediction_and_no_count(store):
    for org in ("acme", "umbrella"):
        await learn(store, org)
        await store.calls.record(replace(CALL, org=org), {"n": 1})
    await put_live(store, "acme", restated={("qa", "v/m"): 0.5})
    assert await store.artifacts.live("umbrella", "own") is None
    assert await store.artifacts.list("umbrella", "own") == []
    assert await predicted(store, "umbrella") == (0.5, 0.5, 0.9)
    assert await store.jobs.labelled_count("umbrella") == 1
    await put_live(store, "umbrella")
    await store.artifacts.roll_back("acme", "own", {}, {})
    assert await store.artifacts.live_version("umbrella", "own") == 1


async def test_predictions_are_restated_with_what_goes_live_and_back_with_the_rollback(store):
    await learn(store)
    await learn(store, cell="code", call_id="c2")
    before = [await predicted(store, cell=cell) for cell in ("qa", "code", "*")]
    ratios = {("qa", "v/m"): 0.8, ("*", "v/m"): 0.6}
    await put_live(store, restated=ratios)
    assert await predicted(store) == (0.4, 0.4, 0.9)
    assert await predicted(store, cell="code") == (0.3, 0.3, 0.9)  # as all cells together
    await store.artifacts.roll_back("acme", "own", {key: 1 / ratio for key, ratio in ratios.items()}, {})
    assert [await predicted(store, cell=cell) for cell in ("qa", "code", "*")] == before


async def test_a_restated_prediction_never_passes_one_an_observation(store):
    await learn(store)
    await put_live(store, restated={("*", "v/m"): 50.0})
    assert await predicted(store) == (1.0, 1.0, 0.9)


async def test_a_superseded_candidate_cannot_go_live_and_changes_nothing(store):
    await learn(store)
    await put_live(store, parameters="one")
    old = await store.artifacts.add_candidate("acme", "own", "two", {})
    await store.artifacts.add_candidate("acme", "own", "three", {})
    with pytest.raises(StoreError, match="no candidate any more"):
        await store.artifacts.go_live(old, {("*", "v/m"): 0.1}, {})
    assert [one.status for one in await store.artifacts.list("acme", "own")] == [
        "live",
        "rejected",
        "candidate",
    ]
    assert await predicted(store) == (0.5, 0.5, 0.9)
    assert (await store.audit.verify("acme")).total_records == 1


def test_refits_are_due_at_200_500_1000_and_every_doubling():
    assert [count for count in range(9_000) if is_refit_due(count)] == [200, 500, 1_000, 2_000, 4_000, 8_000]


async def set_count(store, labelled, org="acme"):
    await store.calls.record(replace(CALL, org=org), {"n": 1})
    change = text("UPDATE orgs SET labelled_count = :n WHERE org = :org")
    await store.transact(lambda connection: connection.execute(change, {"n": labelled, "org": org}) and None)


async def test_the_call_that_makes_a_refit_due_queues_it_once(store):
    await set_count(store, 198)
    due = replace(CALL, call_id="c200")
    for call in (replace(CALL, call_id="c199"), due, due):  # recorded twice, counted once
        await store.calls.record(call, {"n": 2})
    assert [(job.labelled, job.status) for job in await store.jobs.list("acme")] == [(200, "queued")]
    assert await store.jobs.labelled_count("acme") == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": None},
        {"decision": {}},
        {"decision": {"first_verdict": {"source": "estimate", "bin": None}}},
    ],
)
async def test_a_call_that_teaches_nothing_is_not_counted(store, changes):
    await store.calls.record(replace(CALL, **changes), {"n": 1})
    assert await store.jobs.labelled_count("acme") == 0


async def test_one_of_many_workers_gets_a_job(store, database_url):
    await set_count(store, 199)
    await store.calls.record(replace(CALL, call_id="c200"), {"n": 2})
    async with await open_store(database_url) as other:
        claims = await asyncio.gather(*(one.jobs.claim(NOON) for one in (store, other) * 4))
    assert [job.labelled for job in claims if job is not None] == [200]


async def test_the_largest_count_answers_for_the_smaller_ones_that_wait(store):
    for count in (199, 499):
        await set_count(store, count)
        await store.calls.record(replace(CALL, call_id=f"c{count}"), {"n": 2})
    job = await store.jobs.claim(NOON)
    await store.jobs.finish(job, "done", "said", NOON)
    assert [(one.labelled, one.status) for one in await store.jobs.list("acme")] == [
        (200, "superseded"),
        (500, "done"),
    ]
    assert await store.jobs.claim(NOON) is None


async def test_a_job_put_back_or_left_by_a_dead_worker_is_claimed_again(store):
    await set_count(store, 199)
    await store.calls.record(replace(CALL, call_id="c200"), {"n": 2})
    job = await store.jobs.claim(NOON)
    assert await store.jobs.claim(NOON + ABANDONED_AFTER) is None
    await store.jobs.release(job)
    assert await store.jobs.claim(NOON) == job
    assert await store.jobs.claim(NOON + ABANDONED_AFTER + timedelta(seconds=1)) == job
