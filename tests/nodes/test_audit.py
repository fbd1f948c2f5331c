from dataclasses import replace
from hashlib import sha256

import pytest

from x25.nodes.audit import audit
from x25.state.types import Context


async def walked(walk_to_model, **request):
    state = await walk_to_model("update_posterior", **request)
    return state | {"timings": []}


async def test_the_call_is_logged_and_chained_with_what_was_decided(walk_to_model, services):
    state = await walked(walk_to_model)
    written = await audit(state, services)
    call = await services.store.calls.get("default", state["call_id"])
    (entry,) = await services.store.audit.tail("default", 9)
    assert (call.status, call.model_id, call.tier) == ("answered", "sim/tiny-1", "slm")
    assert call.record_hash == entry.record_hash == written["audit_hash"]
    assert written["call_count"] == 1
    assert entry.record["decision"]["propensity"] == call.propensity == written["propensity"]
    assert [one["attempt_id"] for one in entry.record["attempts"]] == [
        one["attempt_id"] for one in state["attempts"]
    ]
    assert (await services.store.audit.verify("default")).intact


async def test_the_chain_proves_words_by_their_hash_and_holds_none(walk_to_model, services):
    state = await walked(walk_to_model, prompt="a zeppelin of marmalade")
    written = await audit(state, services)
    (entry,) = await services.store.audit.tail("default", 9)
    assert entry.record["prompt_sha256"] == sha256(b"a zeppelin of marmalade").hexdigest()
    assert entry.record["answer"]["sha256"] == sha256(written["text"].encode()).hexdigest()
    assert "zeppelin" not in str(entry.record)
    assert (await services.store.calls.get("default", state["call_id"])).prompt is None


async def test_the_prompt_is_stored_only_when_that_is_asked_for(walk_to_model, services):
    keeping = replace(services, limits=replace(services.limits, store_prompts=True))
    state = await walked(walk_to_model, prompt="a zeppelin")
    await audit(state, keeping)
    assert (await services.store.calls.get("default", state["call_id"])).prompt == "a zeppelin"


async def test_money_in_the_reply_is_the_sum_over_attempts_by_kind(walk_to_model, services):
    state = await walked(walk_to_model)
    state["attempts"] = [
        {**state["attempts"][0], "spent_nusd": 3}, {**state["attempts"][0], "spent_nusd": 4},
        {**state["attempts"][1], "spent_nusd": 5},
    ]  # fmt: skip
    written = await audit(state, services)
    assert (written["cost_usd"], written["judge_cost_usd"]) == (7e-9, 5e-9)
    usage = written["usage"]
    full_usd = (usage["prompt_tokens"] * 3 + usage["completion_tokens"] * 12) / 1e6  # sim/large-5
    assert written["cost_saved_usd"] == pytest.approx(full_usd - 7e-9, abs=1e-9)


async def test_auditing_twice_logs_once(walk_to_model, services):
    state = await walked(walk_to_model)
    first, second = await audit(state, services), await audit(state, services)
    assert first["audit_hash"] == second["audit_hash"]
    assert second["call_count"] == 1


async def test_a_call_without_an_answer_is_logged_as_failed(walk_to_model, services, fault):
    fault("500")
    state = await walked(walk_to_model)
    written = await audit(state, services)
    assert written.keys() == {"audit_hash", "call_count"}
    assert (await services.store.calls.get("default", state["call_id"])).status == "failed"


async def test_an_explanation_is_given_when_wanted(walk, services):
    for wanted in (True, False):
        state = await walk("update_posterior", context=Context(explain=wanted)) | {"timings": []}
        assert bool((await audit(state, services))["explain"]) is wanted


async def test_goals_met_are_shares(walk_to_model, services):
    written = await audit(await walked(walk_to_model), services)
    assert written["goal_match"].keys() == {"cost", "quality", "latency"}
    assert all(0 <= share <= 1 for share in written["goal_match"].values())
