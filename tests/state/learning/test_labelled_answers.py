import pytest

from x25.state.errors import NotFound
from x25.state.label_counts import FAILED_CHECK, NO_FIRST_ANSWER, UNJUDGED
from x25.state.learning.labelled_answers import find_answer

EDGES = (0.2, 0.4, 0.6, 0.8)


@pytest.fixture
def log(store, make_call, make_attempt):
    """Return a function that logs a call whose first answer was found as told."""

    async def write(call_id="c1", *, judge=None, score=None, step=0, taught=True, decision=None, drifts=0):
        for kind, model in (("answer", "v/m"), *([("judge", judge)] if judge else [])):
            one = {
                "attempt_id": f"{call_id}-{kind}",
                "call_id": call_id,
                "step": step,
                "kind": kind,
                "model_id": model,
            }
            await store.attempts.start(make_attempt(**one))
            await store.attempts.finish(
                make_attempt(**one, status="finished", cost_nusd=5, cost_source="computed")
            )
        if taught:
            await store.posteriors.add_evidence(
                "acme", call_id, step, task_cell="qa", model_id="v/m", tier="slm", success=score or 0.0,
                failure=1.0 - (score or 0.0), selection=(0.5, 0.75) if step == 0 else None, org_calls=7, gamma=1.0,
            )  # fmt: skip
        for _ in range(drifts):
            pooled = (await store.posteriors.read_levels("acme", "qa"))[1]["v/m"]
            await store.transact(
                lambda connection: (
                    connection.exec_driver_sql("UPDATE posteriors SET drift_calls = 9") and None
                )
            )
            await store.transact(
                lambda connection, pooled=pooled: store.posteriors.begin_anew(
                    connection, "acme", pooled, keep=1.0, record={"kind": "drift"}
                )
            )
        await store.calls.record(make_call(call_id=call_id, model_id="v/m", decision=decision or {}), {})
        return await store.query(lambda connection: find_answer(connection, "acme", call_id, None, EDGES))

    return write


async def test_a_judged_first_answer_has_its_bin_its_prediction_and_its_models_epoch(log):
    found = await log(judge="j/one", score=0.5)
    assert (found.judge, found.place, found.score) == ("j/one", 2, 0.5)
    assert (found.model_id, found.epoch, found.predicted) == ("v/m", 0, 0.75)


async def test_an_answer_nobody_looked_at_has_the_prediction_of_the_log(log):
    decision = {
        "model_id": "v/m",
        "predicted_prob": 0.5,
        "first_verdict": {"outcome": "unseen", "score": 0.7},
    }
    found = await log(taught=False, decision=decision)
    assert (found.judge, found.place, found.score) == ("", UNJUDGED, None)
    assert (found.predicted, found.epoch) == (0.5, 0)


async def test_an_answer_that_failed_a_check_is_told_from_one_that_passed(log):
    seen = {"outcome": "failed_check", "score": 0.0}
    assert (await log(decision={"model_id": "v/m", "first_verdict": seen})).place == FAILED_CHECK


async def test_an_answer_of_another_than_the_decided_model_says_nothing_of_how_often_it_is_right(log):
    assert (
        await log(taught=False, decision={"model_id": "v/other", "predicted_prob": 0.5})
    ).epoch == NO_FIRST_ANSWER
    assert (await log("c2", step=1, judge="j/one", score=0.9)).epoch == NO_FIRST_ANSWER


async def test_an_answer_logged_before_predictions_were_is_of_no_epoch(log):
    assert (await log(taught=False, decision={"model_id": "v/m"})).epoch == NO_FIRST_ANSWER


async def test_an_answer_given_before_its_model_changed_is_of_another_model(log, store):
    found = await log(judge="j/one", score=0.5, drifts=1)
    assert found.epoch == 1  # the change was found with this very answer
    await store.transact(
        lambda connection: connection.exec_driver_sql("UPDATE posteriors SET drifted_at = 8") and None
    )
    again = await store.query(lambda connection: find_answer(connection, "acme", "c1", None, EDGES))
    assert again.epoch == NO_FIRST_ANSWER


async def test_a_call_without_an_answer_has_none_to_label(store, make_call):
    await store.calls.record(make_call(call_id="c1", status="failed", model_id=None), {})
    with pytest.raises(NotFound, match="no call 'c1' with an answer"):
        await store.query(lambda connection: find_answer(connection, "acme", "c1", None, EDGES))
