from dataclasses import replace

import pytest

from x25.nodes.audit import audit
from x25.nodes.offers.situation import Situations
from x25.nodes.org.judge_tables import JudgeBook
from x25.nodes.update_posterior import update_posterior
from x25.routing.belief.likelihood import FAILED_CHECK, PASSED_CHECKS, posterior
from x25.state.errors import ChainBroken
from x25.state.working_memory import Learned


async def log(call, services):
    """Go on from what was looked at to the log row, in whose transaction the posteriors move."""
    learned = Learned(**(vars(call) | await update_posterior(call, services)))
    await audit(learned, services)
    return learned


async def evidence(services, call):
    return await services.store.posteriors.read("default", call.task.cell)


def with_later(call, *steps, **changes):
    """Return the call with later answers of a larger model, each with a drawn belief of its own."""
    (first,) = call.answers
    later = [
        replace(
            first,
            step=step,
            model_id="sim/large-5",
            tier="frontier",
            verdict=replace(first.verdict, belief=replace(first.verdict.belief, theta=theta), **changes),
        )
        for step, theta in steps
    ]
    return replace(call, answers=(first, *later))


def with_observation(call, **changes):
    """Return the call with something else seen of its answer."""
    (answer,) = call.answers
    seen = replace(answer.verdict.observation, **changes)
    return replace(call, answers=(replace(answer, verdict=replace(answer.verdict, observation=seen)),))


async def test_a_judged_first_answer_adds_score_and_complement_and_moves_selection(walk_to_model, services):
    call = await walk_to_model("audit")
    observed = call.answers[0].verdict.observation
    (seen,) = (await evidence(services, call)).values()
    assert (seen.model_id, seen.tier) == ("sim/tiny-1", "slm")
    assert (seen.successes, seen.failures) == (observed.score, 1.0 - observed.score)
    reward = float(services.judge_table.reward_weights()[observed.bin])
    predicted = call.estimate.completion_probs["sim/tiny-1"]
    assert (seen.reward_sum, seen.predicted_sum, seen.weight) == (
        pytest.approx(reward), pytest.approx(predicted), 1.0,
    )  # fmt: skip
    (lesson,) = call.learned
    assert (lesson.model_id, lesson.task_cell, lesson.selection) == ("sim/tiny-1", "qa", (reward, predicted))


async def test_later_answers_move_the_counts_but_not_what_selection_reads(walk_to_model, services):
    call = await walk_to_model("judge")
    scored = replace(call.answers[0].verdict.observation, score=0.25)
    call = with_later(call, (1, 0.5), observation=scored)
    await log(call, services)
    later = (await evidence(services, call))["sim/large-5"]
    assert (later.successes, later.failures) == (0.25, 0.75)
    assert (later.reward_sum, later.predicted_sum, later.weight) == (0.0, 0.0, 0.0)


async def test_an_answer_after_a_fallback_does_not_move_selection(walk_to_model, services):
    call = await walk_to_model("judge")
    start, *rest = call.transitions
    failing = replace(start, decision=replace(start.decision, model_id="sim/small-2"))
    await log(replace(call, transitions=(failing, *rest)), services)
    seen = (await evidence(services, call))["sim/tiny-1"]
    assert seen.successes + seen.failures == 1.0
    assert seen.weight == 0.0


async def test_a_repeated_update_adds_nothing(walk_to_model, services):
    call = await walk_to_model("judge")
    await log(call, services)
    once = await evidence(services, call)
    await log(call, services)
    assert await evidence(services, call) == once


async def test_nothing_is_learnt_from_an_unknown_quality(walk_to_model, services, fault):
    fault("500", "sim/judge-*")
    call = await walk_to_model("audit")
    assert call.answers[0].verdict.source == "none"
    assert call.learned == ()
    assert await evidence(services, call) == {}


@pytest.mark.parametrize(("outcome", "seen_as"), [("passed", PASSED_CHECKS), ("failed", FAILED_CHECK)])
async def test_where_nobody_judges_every_answer_teaches_what_the_checks_say(
    walk_to_model, services, fault, outcome, seen_as
):
    if outcome == "failed":
        fault("empty")
    call = await walk_to_model("audit", using=replace(services, judge=None))
    (seen,) = (await evidence(services, call)).values()
    predicted = call.answers[0].predicted_prob
    right = posterior(predicted, seen_as)
    assert (seen.successes, seen.failures) == (pytest.approx(right), pytest.approx(1.0 - right))
    assert (seen.reward_sum, seen.predicted_sum, seen.weight) == (
        pytest.approx(right), pytest.approx(predicted), 1.0,
    )  # fmt: skip
    assert right > predicted if outcome == "passed" else right < predicted / 4


async def test_a_failed_check_is_learnt_as_a_failure_where_a_judge_was_due(walk_to_model, services, fault):
    fault("empty")
    call = await walk_to_model("audit")
    (seen,) = (await evidence(services, call)).values()
    assert (seen.successes, seen.failures, seen.weight) == (0.0, 1.0, 1.0)


@pytest.mark.parametrize("outcome", ["failed_check", "scored"])
async def test_what_was_looked_at_because_of_how_it_came_out_teaches_nothing(
    walk_to_model, services, outcome
):
    call = with_observation(await walk_to_model("judge"), outcome=outcome, is_due=False)
    assert await update_posterior(call, services) == {"learned": ()}
    await log(call, services)
    assert await evidence(services, call) == {}


async def judged_once(walk_to_model, services, number, **request):
    return await walk_to_model("audit", using=services, call_id=f"call-{number}", **request)


async def test_a_later_answer_is_a_rescue_when_it_beats_all_that_was_held(walk_to_model, services):
    call = await walk_to_model("judge")
    theta = call.answers[0].verdict.belief.theta
    call = with_later(call, (1, theta + 0.01), (2, theta - 0.01))
    await log(call, services)
    cells = await evidence(services, call)
    assert (cells["sim/large-5"].rescue_tries, cells["sim/large-5"].rescues) == (2, 1)
    assert cells["sim/tiny-1"].rescue_tries == 0


async def teach_long_run(services, call, *, passes: float, n: int = 100):
    best = float(max(services.judge_table.reward_weights()))
    for number in range(n):
        await services.store.posteriors.learn(
            call.org, f"lesson-{number}", 0, task_cell=call.task.cell, model_id="sim/tiny-1", tier="slm",
            success=1.0, failure=0.0, selection=(passes * best, 0.6), org_calls=0, gamma=1.0,
        )  # fmt: skip


async def test_an_arm_that_fails_all_at_once_begins_anew_with_an_entry_and_a_line(
    walk_to_model, services, fault, caplog
):
    await teach_long_run(services, await walk_to_model("classify"), passes=0.5)
    fault("empty")
    for number in range(25):
        call = await judged_once(walk_to_model, services, number)
    (entry,) = [one for one in await services.store.audit.tail(call.org, 99) if one.record["kind"] != "call"]
    assert (entry.record["kind"], entry.record["model_id"], entry.record["direction"]) == (
        "drift", "sim/tiny-1", "worse",
    )  # fmt: skip
    assert [
        record.message for record in caplog.records if "begin" in record.message or "become" in record.message
    ]
    (pooled,) = await services.store.posteriors.read_pooled(call.org)
    assert pooled.drifts == 1
    assert pooled.weight_total < 100
    assert (await services.store.audit.verify(call.org)).intact


@pytest.mark.slow
async def test_no_judges_labels_change_what_a_failed_check_is_worth(
    walk_to_model, services, fault, label_scores
):
    await label_scores((200,) * 5, (200,) * 5)  # the judge sees nothing
    await teach_long_run(services, await walk_to_model("classify"), passes=0.5)
    fault("empty")
    calls = [await judged_once(walk_to_model, services, number) for number in range(25)]
    assert calls[0].learned[0].selection == (0.0, calls[0].answers[0].predicted_prob)
    (pooled,) = await services.store.posteriors.read_pooled(calls[0].org)
    assert pooled.drifts == 1


async def test_what_goes_on_as_before_raises_no_alarm(walk_to_model, services, fault):
    fault("empty")
    for number in range(60):
        call = await judged_once(walk_to_model, services, number)
    (pooled,) = await services.store.posteriors.read_pooled(call.org)
    assert pooled.drifts == 0
    assert pooled.drift_calls > 0


async def test_a_damaged_row_never_fails_a_call(walk_to_model, services):
    await judged_once(walk_to_model, services, 0)
    for number, value in enumerate(("0", "9e999", "-9e999", "'text'", "1e300"), start=1):
        columns = (
            "successes",
            "weight",
            "weight_total",
            "reward_sum",
            "fast_weight",
            "drift_up",
            "calls_seen",
        )
        update = f"UPDATE posteriors SET {', '.join(f'{column} = {value}' for column in columns)}"
        await services.store.transact(lambda connection, sql=update: connection.exec_driver_sql(sql).rowcount)
        call = await judged_once(walk_to_model, services, number)
        belief = call.selection.beliefs["sim/tiny-1"]
        assert 0.0 < belief.mean < 1.0
        assert 0.0 < belief.theta < 1.0


async def test_the_orgs_own_labels_decide_what_a_score_teaches(walk_to_model, services, label_scores):
    await label_scores((0, 0, 0, 0, 500), (500, 0, 0, 0, 0))
    call = await walk_to_model("audit")
    (lesson,) = call.learned
    table = services.judge_book.table("default", "sim/judge-1", services.judge_table)
    reward = table.reward_weights()[call.answers[0].verdict.observation.bin]
    assert lesson.selection[0] == pytest.approx(float(reward))
    assert table.auc > services.judge_table.auc


@pytest.mark.slow
async def test_a_judge_labels_found_blind_teaches_selection_nothing_and_leaves_belief_to_the_checks(
    walk_to_model, label_scores
):
    await label_scores((200,) * 5, (200,) * 5)
    call = await walk_to_model("audit")
    ((answer,), (lesson,)) = call.answers, call.learned
    assert answer.verdict.source == "judge"
    expected = posterior(call.selection.beliefs["sim/tiny-1"].mean, PASSED_CHECKS)
    assert answer.verdict.belief.mean == pytest.approx(expected)
    assert lesson.selection is None
    assert call.transitions[-1].kind == "stop"


async def test_a_process_that_takes_a_call_up_to_learn_from_it_reads_the_labels_first(
    walk_to_model, services, label_scores
):
    await label_scores((0, 0, 0, 0, 500), (500, 0, 0, 0, 0))
    call = await walk_to_model("judge")
    resumed = replace(services, judge_book=JudgeBook(), situations=Situations())
    change = await update_posterior(call, resumed)
    table = services.judge_book.table("default", "sim/judge-1", services.judge_table)
    reward = float(table.reward_weights()[call.answers[0].verdict.observation.bin])
    assert change["learned"][0].selection[0] == pytest.approx(reward)


async def test_a_call_that_is_not_logged_teaches_nothing(walk_to_model, services):
    call = await walk_to_model("judge")
    assert (await update_posterior(call, services))["learned"]
    head = "UPDATE orgs SET chain_length = chain_length - 1"  # the head no longer meets its entries
    await services.store.audit.append(call.org, {"n": 1})
    await services.store.transact(lambda connection: connection.exec_driver_sql(head).rowcount)
    with pytest.raises(ChainBroken):
        await log(call, services)
    assert await evidence(services, call) == {}


async def test_lessons_the_database_refuses_never_cost_the_answer(walk_to_model, services, caplog):
    call = await walk_to_model("judge")
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON posteriors BEGIN SELECT RAISE(ABORT, 'no room'); END"
    await services.store.transact(lambda connection: connection.exec_driver_sql(refuse).rowcount)
    await log(call, services)
    logged = await services.store.calls.get(call.org, call.call_id)
    assert logged.status == "answered"
    assert await evidence(services, call) == {}
    assert f"what call {call.call_id} of org {call.org} taught is lost: no room" in caplog.messages
    assert (await services.store.audit.verify(call.org)).intact
