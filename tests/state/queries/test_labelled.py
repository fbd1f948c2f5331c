from datetime import UTC, datetime, timedelta

import pytest

from x25.state.errors import InvalidRequest
from x25.state.queries.labelled import LabelledCall

START = datetime(2026, 1, 1, tzinfo=UTC)
EDGES = (0.2, 0.4, 0.6, 0.8)


@pytest.fixture
def answered(store, make_call, make_attempt):
    """Return a function that logs a call of one or two answers, the last one returned."""

    async def log(call_id, org="acme", n=0, *, answers=1, **more):
        for step in range(answers):
            made = {
                "attempt_id": f"{org}-{call_id}-{step}", "org": org, "call_id": call_id, "step": step,
                "model_id": f"v/{step}",
            }  # fmt: skip
            await store.attempts.start(make_attempt(**made))
            await store.attempts.finish(make_attempt(**made, status="finished", cost_nusd=5))
        call = make_call(
            org=org,
            call_id=call_id,
            created_at=START + timedelta(minutes=n),
            model_id=f"v/{answers - 1}",
            **more,
        )
        await store.calls.record(call, {"kind": "call", "call_id": call_id})

    return log


async def label(store, call_id, right=1.0, *, org="acme", source="audit", **more):
    await store.labels.add(org, call_id, right=right, source=source, edges=EDGES, **more)


async def test_a_labelled_call_is_read_with_its_label_and_score(store, answered):
    await answered("c1", n=3, quality_score=0.25, task_type="code")
    await label(store, "c1", 1.0, sampled_prob=0.1)
    assert await store.labelled.sampled("acme") == [
        LabelledCall("c1", START + timedelta(minutes=3), "code", "v/0", 1.0, 0.1, 0.25)
    ]


async def test_volunteered_labels_and_those_of_replaced_answers_are_left_out(store, answered):
    for call_id in ("c1", "c2", "c3", "c4"):
        await answered(call_id, answers=2)
    await label(store, "c1", source="feedback")
    await label(store, "c2", source="feedback", sampled_prob=0.5)
    await label(store, "c3", step=0)
    await label(store, "c4")
    found = {one.call_id: one.sampled_prob for one in await store.labelled.sampled("acme")}
    assert found == {"c2": 0.5, "c4": None}


async def test_a_call_labelled_twice_counts_once_by_its_first_label(store, answered):
    await answered("c1")
    await label(store, "c1", 0.0)
    await label(store, "c1", 1.0, source="check", sampled_prob=1.0)
    assert [one.right for one in await store.labelled.sampled("acme")] == [0.0]


async def test_orgs_are_apart(store, answered):
    for org in ("acme", "other"):
        await answered("c1", org)
    await label(store, "c1", org="other")
    assert await store.labelled.sampled("acme") == []
    assert await store.labelled.scores("nobody") == ([], None)
    assert [call_id for call_id, _ in await store.labelled.unlabelled("acme", 9)] == ["c1"]
    assert await store.labelled.unlabelled("other", 9) == []


async def test_scores_are_of_the_newest_calls_that_have_one(store, answered):
    for n, score in enumerate((0.1, 0.2, None, 0.4)):
        await answered(f"c{n}", n=n, quality_score=score)
    assert await store.labelled.scores("acme", 2) == ([0.4, 0.2], START + timedelta(minutes=1))


async def test_calls_to_label_are_answered_ones_nobody_picked_complaints_included(store, answered):
    for n in range(4):
        await answered(f"c{n}", n=n, status="failed" if n == 3 else "answered")
    await label(store, "c0", source="feedback")
    await label(store, "c1")
    assert [call_id for call_id, _ in await store.labelled.unlabelled("acme", 9)] == ["c2", "c0"]


async def test_a_change_of_a_model_is_dated(store):
    lesson = {"task_cell": "qa", "model_id": "v/m", "tier": "slm", "success": 1.0, "failure": 0.0,
              "selection": (1.0, 0.7)}  # fmt: skip
    pooled = await store.posteriors.learn("acme", "c1", 0, org_calls=0, gamma=1.0, **lesson)
    assert await store.labelled.alarms("acme") == []
    record = {"kind": "drift", "direction": "worse"}

    def anew(connection):
        from dataclasses import replace

        watched = replace(pooled, drift_calls=0)
        connection.exec_driver_sql("UPDATE posteriors SET drift_calls = 9")
        return store.posteriors.begin_anew(connection, "acme", watched, keep=3.0, record=record)

    assert await store.transact(anew)
    (alarm,) = await store.labelled.alarms("acme")
    assert (alarm.model_id, alarm.count) == ("v/m", 1)
    assert abs(datetime.now(UTC) - alarm.at) < timedelta(minutes=1)
    assert await store.labelled.alarms("other") == []


@pytest.mark.parametrize("prob", [0.0, -0.5, 1.01, float("nan")])
async def test_an_impossible_probability_is_refused_by_name(store, answered, prob):
    await answered("c1")
    with pytest.raises(InvalidRequest, match="sampled_prob") as refused:
        await label(store, "c1", sampled_prob=prob)
    assert refused.value.field == "sampled_prob"
