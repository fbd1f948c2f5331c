import asyncio

import pytest

from x25.state.errors import InvalidRequest, NotFound
from x25.state.learning.labels import Labelled

EDGES = (0.2, 0.4, 0.6, 0.8)


@pytest.fixture
def judged(store, make_call, make_attempt):
    """Return a function that logs a call of two answers, the second one returned, each with its judge's score."""

    async def log(call_id, *scores, org="acme"):
        for step, score in enumerate(scores):
            for kind, model in (("answer", f"v/{step}"), ("judge", "j/one"))[: 1 if score is None else 2]:
                name = f"{org}-{call_id}-{step}-{kind}"
                attempt = make_attempt(
                    attempt_id=name, call_id=call_id, org=org, step=step, kind=kind, model_id=model
                )
                await store.attempts.start(attempt)
                await store.attempts.finish(make_attempt(
                    attempt_id=name, call_id=call_id, org=org, step=step, kind=kind, model_id=model,
                    status="finished", cost_nusd=5, cost_source="computed",
                ))  # fmt: skip
            if score is not None:
                await store.posteriors.add_evidence(
                    org, call_id, step, task_cell="qa", model_id=f"v/{step}", tier="slm", success=score,
                    failure=1.0 - score, selection=None, org_calls=0, gamma=1.0,
                )  # fmt: skip
        await store.calls.record(make_call(call_id=call_id, org=org, model_id=f"v/{len(scores) - 1}"), {})

    return log


async def add(store, call_id="c1", right=1.0, *, org="acme", source="feedback", step=None):
    return await store.labels.add(org, call_id, right=right, source=source, edges=EDGES, step=step)


async def test_a_label_of_the_returned_answer_counts_for_the_judge_who_scored_it(store, judged):
    await judged("c1", 0.3, 0.9)
    assert await add(store) == Labelled(1, True, "j/one", 0.9)
    counts = (await store.judge_tables.counts("acme", EDGES))["j/one"]
    assert (counts.right, counts.wrong) == ((0, 0, 0, 0, 1.0), (0, 0, 0, 0, 0.0))


async def test_any_answer_of_the_call_can_be_labelled(store, judged):
    await judged("c1", 0.3, 0.9)
    assert await add(store, right=0.0, step=0) == Labelled(0, True, "j/one", 0.3)
    assert (await store.judge_tables.counts("acme", EDGES))["j/one"].wrong == (0, 1.0, 0, 0, 0)


async def test_a_repeated_label_counts_nothing_even_when_it_disagrees(store, judged):
    await judged("c1", 0.9)
    done = await asyncio.gather(*(add(store, right=float(number == 0)) for number in range(8)))
    assert sum(one.is_new for one in done) == 1
    assert (await store.judge_tables.counts("acme", EDGES))["j/one"].labels == 1.0
    assert await store.labels.count("acme") == 1


async def test_each_source_has_a_label_of_its_own(store, judged):
    await judged("c1", 0.9)
    assert [(await add(store, source=source)).is_new for source in ("feedback", "audit", "check")] == [
        True
    ] * 3


async def test_a_label_of_an_answer_nobody_judged_is_kept_and_counts_for_no_judge(store, judged):
    await judged("c1", None)
    assert await add(store) == Labelled(0, True, None, None)
    assert await store.judge_tables.counts("acme", EDGES) == {}
    assert await store.labels.count("acme") == 1


async def test_an_answer_of_another_org_or_none_at_all_is_not_found(store, judged):
    await judged("c1", 0.9)
    with pytest.raises(NotFound, match="org 'other' has no call 'c1' with an answer"):
        await add(store, org="other")
    with pytest.raises(NotFound, match="at step 7"):
        await add(store, step=7)


@pytest.mark.parametrize("wrong", [{"right": 1.5}, {"right": float("nan")}, {"source": "gossip"}])
async def test_what_is_no_label_is_refused_by_name(store, judged, wrong):
    await judged("c1", 0.9)
    with pytest.raises(InvalidRequest) as refused:
        await add(store, **wrong)
    assert refused.value.field == next(iter(wrong))


async def test_a_label_takes_the_place_of_what_free_checks_alone_taught(store, judged):
    await judged("c1", None)
    await store.posteriors.add_evidence(
        "acme", "c1", 0, task_cell="qa", model_id="v/0", tier="slm", success=0.8, failure=0.2,
        selection=(0.8, 0.75), org_calls=0, gamma=1.0,
    )  # fmt: skip
    assert await add(store, right=0.0) == Labelled(0, True, None, None)
    (cell,) = (await store.posteriors.read("acme", "qa")).values()
    assert (cell.successes, cell.failures) == (pytest.approx(0.0), pytest.approx(1.0))
    assert (cell.reward_sum, cell.predicted_sum, cell.weight) == (pytest.approx(0.0), 0.75, 1.0)
    assert cell.reward_total == pytest.approx(0.0)
    await add(store, right=1.0, source="audit")
    (cell,) = (await store.posteriors.read("acme", "qa")).values()
    assert (cell.successes, cell.reward_sum) == (pytest.approx(1.0), pytest.approx(1.0))


async def test_a_label_of_a_judged_answer_moves_its_judge_and_no_model(store, judged):
    await judged("c1", 0.3)
    await add(store, right=1.0)
    (cell,) = (await store.posteriors.read("acme", "qa")).values()
    assert (cell.successes, cell.failures) == (0.3, 0.7)
