from dataclasses import replace
from hashlib import sha256

import pytest

from x25.nodes.answer.explanation import best_answer
from x25.nodes.records.log_row import audit_record, call_row
from x25.routing.belief.org_model import unpack_inputs


@pytest.fixture
async def state(walk_to_model):
    return await walk_to_model("update_posterior", prompt="a zeppelin of marmalade")


async def test_the_row_tells_the_decision_the_answer_and_the_money(state, services):
    row = call_row(state, services, best_answer(state), 12.5)
    assert (row.status, row.model_id, row.tier, row.latency_ms) == ("answered", "sim/tiny-1", "slm", 12.5)
    assert row.propensity == state["first_decision"]["propensity"]
    assert row.decision["difficulty"] == state["difficulty"]
    spent = {one["kind"]: one["spent_nusd"] for one in state["attempts"]}
    assert (row.cost_nusd, row.judge_cost_nusd) == (spent["answer"], spent["judge"])
    assert row.reference_cost_nusd > row.cost_nusd
    assert row.prompt is None


async def test_the_row_keeps_the_prompt_only_where_prompts_are_stored(state, services):
    keeping = replace(services, limits=replace(services.limits, store_prompts=True))
    assert call_row(state, keeping, best_answer(state), 1.0).prompt == "a zeppelin of marmalade"


async def test_a_call_without_an_answer_saves_nothing(state, services):
    row = call_row(state | {"held": [], "verdicts": []}, services, None, 1.0)
    assert (row.status, row.model_id, row.quality_source) == ("failed", None, "none")
    assert row.reference_cost_nusd == row.cost_nusd


async def test_the_record_holds_hashes_of_the_words_and_none_of_them(state, services):
    best = best_answer(state)
    record = audit_record(state, call_row(state, services, best, 1.0), best)
    assert record["prompt_sha256"] == sha256(b"a zeppelin of marmalade").hexdigest()
    assert record["answer"]["model_id"] == "sim/tiny-1"
    assert "zeppelin" not in str(record)
    assert best["message"]["content"] not in str(record)
    assert record["decision"].keys() == {
        "model_id", "tier", "propensity", "judge_prob", "explored", "strategy",
    }  # fmt: skip


async def test_the_row_keeps_what_a_refit_needs_and_no_word_of_the_prompt(state, services):
    row = call_row(state, services, best_answer(state), 1.0)
    assert unpack_inputs(row.inputs) == pytest.approx(
        [*state["embedding"], *state["features"]], rel=1e-3, abs=1e-4
    )
    first = state["verdicts"][0]
    assert row.decision["first_verdict"] == {
        key: first[key] for key in ("source", "bin", "score", "judge_model")
    }
    assert row.decision["memory_hit"] is False
    assert "zeppelin" not in str(row.decision)


async def test_with_the_setting_off_no_vector_is_kept(state, services):
    without = replace(services, limits=replace(services.limits, store_inputs=False))
    assert call_row(state, without, best_answer(state), 1.0).inputs is None


async def test_a_fallbacks_answer_teaches_nothing_of_the_decided_model(state, services):
    other = [{**one, "model_id": "sim/other"} for one in state["verdicts"]]
    row = call_row(state | {"verdicts": other}, services, best_answer(state), 1.0)
    assert row.decision["first_verdict"] is None
