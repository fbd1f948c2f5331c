from dataclasses import replace

import pytest

from x25.nodes.update_posterior import update_posterior


async def evidence(services, state):
    return await services.store.posteriors.read("default", state["task_cell"])


async def test_a_judged_first_answer_adds_score_and_complement_and_moves_selection(walk_to_model, services):
    state = await walk_to_model("update_posterior")
    (verdict,) = state["verdicts"]
    (seen,) = (await evidence(services, state)).values()
    assert (seen.model_id, seen.tier) == ("sim/tiny-1", "slm")
    assert (seen.successes, seen.failures) == (verdict["score"], 1.0 - verdict["score"])
    weights = services.judge_table.reward_weights()
    assert (seen.reward_sum, seen.predicted_sum, seen.weight) == (
        pytest.approx(weights[verdict["bin"]]), pytest.approx(state["completion_probs"]["sim/tiny-1"]), 1.0,
    )  # fmt: skip
    (learned,) = state["learned"]
    assert learned["selection"] == [float(weights[verdict["bin"]]), state["completion_probs"]["sim/tiny-1"]]


async def test_later_answers_move_the_counts_but_not_what_selection_reads(walk_to_model, services):
    state = await walk_to_model("judge")
    second = {**state["verdicts"][0], "step": 1, "model_id": "sim/large-5", "score": 0.25}
    held = {**state["held"][0], "step": 1, "model_id": "sim/large-5", "tier": "frontier"}
    state |= {"verdicts": [*state["verdicts"], second], "held": [*state["held"], held]}
    await update_posterior(state, services)
    later = (await evidence(services, state))["sim/large-5"]
    assert (later.successes, later.failures) == (0.25, 0.75)
    assert (later.reward_sum, later.predicted_sum, later.weight) == (0.0, 0.0, 0.0)


async def test_an_answer_after_a_fallback_does_not_move_selection(walk_to_model, services):
    state = await walk_to_model("judge")
    state["first_decision"] = {**state["first_decision"], "model_id": "sim/small-2"}
    await update_posterior(state, services)
    seen = (await evidence(services, state))["sim/tiny-1"]
    assert seen.successes + seen.failures == 1.0
    assert seen.weight == 0.0


async def test_a_repeated_update_adds_nothing(walk_to_model, services):
    state = await walk_to_model("judge")
    await update_posterior(state, services)
    once = await evidence(services, state)
    await update_posterior(state, services)
    assert await evidence(services, state) == once


@pytest.mark.parametrize("source", ["estimate", "none"])
async def test_nothing_is_learnt_from_an_unknown_quality(walk_to_model, services, fault, source):
    if source == "none":
        fault("500", "sim/judge-*")
    using = replace(services, judge=None) if source == "estimate" else services
    state = await walk_to_model("update_posterior", using=using)
    assert state["verdicts"][0]["source"] == source
    assert state["learned"] == []
    assert await evidence(services, state) == {}


async def test_a_failed_check_is_learnt_as_a_failure(walk_to_model, services, fault):
    fault("empty")
    state = await walk_to_model("update_posterior")
    (seen,) = (await evidence(services, state)).values()
    assert (seen.successes, seen.failures, seen.weight) == (0.0, 1.0, 1.0)


async def judged_once(walk_to_model, services, number, **request):
    return await walk_to_model("update_posterior", using=services, call_id=f"call-{number}", **request)


async def test_a_later_answer_is_a_rescue_when_it_beats_all_that_was_held(walk_to_model, services):
    state = await walk_to_model("judge")
    verdict, held = state["verdicts"][0], state["held"][0]
    for step, quality in ((1, held["quality"] + 0.01), (2, held["quality"] - 0.01)):
        model = {"step": step, "model_id": "sim/large-5"}
        state["verdicts"] = [*state["verdicts"], {**verdict, **model}]
        state["held"] = [*state["held"], {**held, **model, "tier": "frontier", "quality": quality}]
    await update_posterior(state, services)
    cells = await evidence(services, state)
    assert (cells["sim/large-5"].rescue_tries, cells["sim/large-5"].rescues) == (2, 1)
    assert cells["sim/tiny-1"].rescue_tries == 0


async def teach_long_run(services, state, *, passes: float, n: int = 100):
    best = float(max(services.judge_table.reward_weights()))
    for number in range(n):
        await services.store.posteriors.learn(
            state["org"], f"lesson-{number}", 0, task_cell=state["task_cell"], model_id="sim/tiny-1", tier="slm",
            success=1.0, failure=0.0, selection=(passes * best, 0.6), org_calls=0, gamma=1.0,
        )  # fmt: skip


async def test_an_arm_that_fails_all_at_once_begins_anew_with_an_entry_and_a_line(
    walk_to_model, services, fault, caplog
):
    await teach_long_run(services, await walk_to_model("classify"), passes=0.5)
    fault("empty")
    for number in range(25):
        state = await judged_once(walk_to_model, services, number)
    (entry,) = await services.store.audit.tail(state["org"], 9)
    assert (entry.record["kind"], entry.record["model_id"], entry.record["direction"]) == (
        "drift", "sim/tiny-1", "worse",
    )  # fmt: skip
    assert [
        record.message for record in caplog.records if "begin" in record.message or "become" in record.message
    ]
    (pooled,) = await services.store.posteriors.read_pooled(state["org"])
    assert pooled.drifts == 1
    assert pooled.weight_total < 100
    assert (await services.store.audit.verify(state["org"])).intact


async def test_what_goes_on_as_before_raises_no_alarm(walk_to_model, services, fault):
    fault("empty")
    for number in range(60):
        state = await judged_once(walk_to_model, services, number)
    (pooled,) = await services.store.posteriors.read_pooled(state["org"])
    assert pooled.drifts == 0
    assert pooled.drift_calls > 0


async def test_a_damaged_row_never_fails_a_call(walk_to_model, services):
    state = await judged_once(walk_to_model, services, 0)
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
        state = await judged_once(walk_to_model, services, number)
        assert 0.0 < state["thetas"]["sim/tiny-1"] < 1.0


async def label_scores(services, right, wrong):
    from x25.state.learning.judge_tables import count_label

    def add(connection):
        for score_bin in range(5):
            for times, outcome in ((right[score_bin], 1.0), (wrong[score_bin], 0.0)):
                for _ in range(times):
                    count_label(
                        connection, "default", "sim/judge-1", services.judge_table.edges, score_bin, outcome
                    )

    await services.store.transact(add)


async def test_the_orgs_own_labels_decide_what_a_score_teaches(walk_to_model, services):
    await label_scores(services, (0, 0, 0, 0, 500), (500, 0, 0, 0, 0))
    state = await walk_to_model("update_posterior")
    (verdict,), (learned,) = state["verdicts"], state["learned"]
    table = services.judge_book.table("default", "sim/judge-1", services.judge_table)
    assert learned["selection"][0] == pytest.approx(float(table.reward_weights()[verdict["bin"]]))
    assert table.auc > services.judge_table.auc


async def test_a_judge_labels_found_blind_teaches_selection_nothing_and_changes_no_belief(
    walk_to_model, services
):
    await label_scores(services, (200,) * 5, (200,) * 5)
    state = await walk_to_model("update_posterior")
    (verdict,), (learned,) = state["verdicts"], state["learned"]
    assert verdict["source"] == "judge"
    assert verdict["posterior"] == state["thetas"]["sim/tiny-1"]
    assert learned["selection"] is None
    assert state["move"] == "stop" or "escalate" not in state["move_reason"]
