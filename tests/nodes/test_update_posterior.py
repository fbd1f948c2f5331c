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
