import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from x25.state.errors import InvalidRequest, NotFound
from x25.state.label_counts import UNJUDGED
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


async def retract(store, call_id="c1", *, org="acme", source="feedback"):
    return await store.labels.retract(org, call_id, source=source, edges=EDGES)


async def test_a_label_of_the_returned_answer_counts_for_the_judge_who_scored_it(store, judged):
    await judged("c1", 0.3, 0.9)
    assert await add(store) == Labelled(1, "new", "v/1", "j/one", 0.9)
    counts = (await store.judge_tables.counts("acme", EDGES))["j/one"]
    assert (counts.right, counts.wrong) == ((0, 0, 0, 0, 1.0), (0, 0, 0, 0, 0.0))


async def test_any_answer_of_the_call_can_be_labelled(store, judged):
    await judged("c1", 0.3, 0.9)
    assert await add(store, right=0.0, step=0) == Labelled(0, "new", "v/0", "j/one", 0.3)
    assert (await store.judge_tables.counts("acme", EDGES))["j/one"].wrong == (0, 1.0, 0, 0, 0)


async def test_the_same_again_changes_nothing_and_the_newest_wins(store, judged):
    await judged("c1", 0.9)
    done = await asyncio.gather(*(add(store) for _ in range(8)))
    assert sorted(one.became for one in done) == ["new"] + ["unchanged"] * 7
    assert (await add(store, right=0.25)).became == "changed"
    (count,) = await store.judge_tables.label_counts("acme", EDGES)
    assert (count.right, count.wrong, await store.labels.count("acme")) == (0.25, 0.75, 1)


async def test_concurrent_labels_that_disagree_count_once_as_whichever_came_last(store, judged):
    await judged("c1", 0.9)
    await asyncio.gather(*(add(store, right=number / 7) for number in range(8)))
    (said,) = await store.labels.words("acme", "c1")
    (count,) = await store.judge_tables.label_counts("acme", EDGES)
    assert (count.right, count.wrong) == (said["right"], 1.0 - said["right"])


async def test_a_label_taken_back_leaves_the_counts_as_if_it_had_never_been(store, judged):
    for number in range(6):
        await judged(f"c{number}", 0.1 + 0.15 * number)
        await add(store, f"c{number}", right=number / 5)
    before = await store.judge_tables.label_counts("acme", EDGES)
    await judged("late", 0.33)
    for right in (0.1, 0.7, 1 / 3):
        await add(store, "late", right=right)
    assert (await retract(store, "late")).became == "retracted"
    assert await store.judge_tables.label_counts("acme", EDGES) == before
    assert (await retract(store, "late")).became == "none"
    for number in range(6):
        await retract(store, f"c{number}")
    assert await store.judge_tables.label_counts("acme", EDGES) == []


async def test_labels_and_retractions_at_once_lose_nothing(store, judged):
    for number in range(12):
        await judged(f"c{number}", 0.9)
    await asyncio.gather(*(add(store, f"c{number}") for number in range(12)))
    await asyncio.gather(*(retract(store, f"c{number}") for number in range(5)), *(
        add(store, f"c{number}", right=0.0) for number in range(5, 9)
    ))  # fmt: skip
    (count,) = await store.judge_tables.label_counts("acme", EDGES)
    assert (count.right, count.wrong) == (3.0, 4.0)


async def test_a_word_about_a_label_is_kept_and_counts_nothing_more(store, judged):
    await judged("c1", 0.9)
    await add(store, right=0.0)
    before = await store.judge_tables.label_counts("acme", EDGES)
    again = await store.labels.add(
        "acme", "c1", right=0.0, source="feedback", edges=EDGES, note="no", corrected_answer="42"
    )
    assert again.became == "changed"
    assert await store.judge_tables.label_counts("acme", EDGES) == before
    (said,) = await store.labels.words("acme", "c1")
    assert (said["note"], said["corrected_answer"], said["correct_model"]) == ("no", "42", None)


async def test_words_no_database_keeps_are_seen_to_be_the_same_again(store, judged):
    await judged("c1", 0.9)
    done = [
        await store.labels.add("acme", "c1", right=0.0, source="feedback", edges=EDGES, note="a\x00b\udc00")
        for _ in range(2)
    ]
    assert [one.became for one in done] == ["new", "unchanged"]


async def test_retention_erases_the_words_and_leaves_the_label(store, judged):
    await judged("c1", 0.9)
    await store.labels.add(
        "acme", "c1", right=0.0, source="feedback", edges=EDGES, note="n", corrected_answer="x"
    )
    await store.erasure.forget("other", datetime.now(UTC) + timedelta(days=1))
    assert (await store.labels.words("acme", "c1"))[0]["note"] == "n"
    await store.erasure.forget("acme", datetime.now(UTC) + timedelta(days=1))
    (said,) = await store.labels.words("acme", "c1")
    assert (said["right"], said["note"], said["corrected_answer"]) == (0.0, None, None)


async def test_a_call_that_is_gone_cannot_be_labelled(store, judged):
    await judged("c1", 0.9)
    await store.transact(lambda connection: connection.execute(text("DELETE FROM calls")) and None)
    with pytest.raises(NotFound, match="has no call 'c1'"):
        await add(store)


async def test_answers_labelled_by_several_are_weighed_by_what_each_counts(store, judged):
    await judged("c1", 0.9)
    await add(store, right=1.0)
    await add(store, right=0.0, source="audit")
    assert await store.labels.of_answers("acme") == {("c1", 0): (0.5, 1.0)}
    found = await store.labels.of_answers(
        "acme", lambda source, _model: 0.25 if source == "feedback" else 0.75
    )
    assert found == {("c1", 0): (0.25, 0.75)}
    assert await store.labels.of_answers("acme", lambda _source, _model: 0.0) == {}


async def test_each_source_has_a_label_of_its_own(store, judged):
    await judged("c1", 0.9)
    assert [(await add(store, source=source)).is_new for source in ("feedback", "audit", "check")] == [
        True
    ] * 3


async def test_a_label_of_an_answer_nobody_judged_is_kept_and_counts_for_no_judge(store, judged):
    await judged("c1", None)
    assert await add(store) == Labelled(0, "new", "v/0", None, None)
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


async def test_labels_leave_the_evidence_itself_alone(store, judged):
    await judged("c1", None)
    await store.posteriors.add_evidence(
        "acme", "c1", 0, task_cell="qa", model_id="v/0", tier="slm", success=0.8, failure=0.2,
        selection=(0.8, 0.75), org_calls=0, gamma=1.0,
    )  # fmt: skip
    before = await store.posteriors.read_all("acme")
    assert await add(store, right=0.0) == Labelled(0, "new", "v/0", None, None)
    assert await store.posteriors.read_all("acme") == before
    (count,) = await store.judge_tables.label_counts("acme", EDGES)
    assert (count.model_id, count.judge, count.place, count.epoch) == ("v/0", "", UNJUDGED, 0)
    assert (count.right, count.wrong, count.predicted) == (0.0, 1.0, 0.75)


async def test_a_label_of_a_judged_answer_moves_its_judge_and_no_model(store, judged):
    await judged("c1", 0.3)
    await add(store, right=1.0)
    (cell,) = (await store.posteriors.read("acme", "qa")).values()
    assert (cell.successes, cell.failures) == (0.3, 0.7)
