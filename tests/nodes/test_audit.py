from dataclasses import replace
from hashlib import sha256

import pytest

from x25.nodes.audit import audit
from x25.state.types import Context


@pytest.fixture
def learned(walk_to_model):
    return lambda **request: walk_to_model("update_posterior", **request)


async def test_the_call_is_logged_and_chained_with_what_was_decided(learned, services):
    call = await learned()
    written = await audit(call, services)
    row = await services.store.calls.get("default", call.call_id)
    (entry,) = await services.store.audit.tail("default", 9)
    assert (row.status, row.model_id, row.tier) == ("answered", "sim/tiny-1", "slm")
    assert row.record_hash == entry.record_hash == written["reply"]["audit_hash"]
    assert written["call_count"] == 1
    assert entry.record["decision"]["propensity"] == row.propensity == written["reply"]["propensity"]
    assert [one["attempt_id"] for one in entry.record["attempts"]] == [
        attempt.attempt_id for answer in call.answers for attempt in answer.attempts
    ]
    assert (await services.store.audit.verify("default")).intact


async def test_the_chain_proves_words_by_their_hash_and_holds_none(learned, services):
    call = await learned(prompt="a zeppelin of marmalade")
    reply = (await audit(call, services))["reply"]
    (entry,) = await services.store.audit.tail("default", 9)
    assert entry.record["prompt_sha256"] == sha256(b"a zeppelin of marmalade").hexdigest()
    assert entry.record["answer"]["sha256"] == sha256(reply["text"].encode()).hexdigest()
    assert "zeppelin" not in str(entry.record)
    assert (await services.store.calls.get("default", call.call_id)).prompt is None


async def test_the_prompt_is_stored_only_when_that_is_asked_for(learned, services):
    keeping = replace(services, limits=replace(services.limits, store_prompts=True))
    call = await learned(prompt="a zeppelin")
    await audit(call, keeping)
    assert (await services.store.calls.get("default", call.call_id)).prompt == "a zeppelin"


async def test_money_in_the_reply_is_the_sum_over_attempts_by_kind(learned, services):
    call = await learned()
    (answer,) = call.answers
    asked, judged = answer.attempts
    attempts = (replace(asked, cost_nusd=3), replace(asked, cost_nusd=4), replace(judged, cost_nusd=5))
    reply = (await audit(replace(call, answers=(replace(answer, attempts=attempts),)), services))["reply"]
    assert (reply["cost_usd"], reply["judge_cost_usd"]) == (7e-9, 5e-9)
    usage = reply["usage"]
    full_usd = (usage["prompt_tokens"] * 3 + usage["completion_tokens"] * 12) / 1e6  # sim/large-5
    assert reply["cost_saved_usd"] == pytest.approx(full_usd - 7e-9 - 5e-9, abs=1e-9)


async def test_the_judge_can_turn_a_gain_into_a_loss(learned, services):
    call = await learned()
    (answer,) = call.answers
    asked, judged = answer.attempts
    dear = (replace(asked, cost_nusd=3), replace(judged, cost_nusd=10**9))
    reply = (await audit(replace(call, answers=(replace(answer, attempts=dear),)), services))["reply"]
    assert reply["cost_saved_usd"] == pytest.approx(-1.0, abs=0.01)
    assert reply["goal_match"]["cost"] == 0.0


async def test_auditing_twice_logs_once(learned, services):
    call = await learned()
    first, second = await audit(call, services), await audit(call, services)
    assert first["reply"]["audit_hash"] == second["reply"]["audit_hash"]
    assert second["call_count"] == 1


async def test_a_call_without_an_answer_is_logged_as_failed(learned, services, fault):
    fault("500")
    call = await learned()
    written = await audit(call, services)
    assert written.keys() == {"audit_hash", "call_count"}
    assert (await services.store.calls.get("default", call.call_id)).status == "failed"


async def test_an_explanation_is_given_when_wanted(walk, services):
    for wanted in (True, False):
        call = await walk("update_posterior", context=Context(explain=wanted))
        assert bool((await audit(call, services))["reply"]["explain"]) is wanted


async def test_goals_met_are_shares(learned, services):
    shares = (await audit(await learned(), services))["reply"]["goal_match"]
    assert shares.keys() == {"cost", "quality", "latency"}
    assert all(0 <= share <= 1 for share in shares.values())


async def test_the_reply_tells_the_mean_belief_as_the_posterior_and_the_draw_beside_it(learned, services):
    call = await learned()
    belief = call.answers[0].verdict.belief
    verdict = (await audit(call, services))["reply"]["verdict"]
    assert verdict["posterior"] == belief.mean
    assert verdict["belief"] == {"mean": belief.mean, "theta": belief.theta}
    assert belief.mean != belief.theta


async def test_the_answer_most_likely_right_is_returned_with_its_receipt(learned, services):
    call = await learned()
    (answer,) = call.answers
    sure = replace(answer.verdict, belief=replace(answer.verdict.belief, mean=0.99), score=0.9)
    second = replace(
        answer, step=1, model_id="sim/other", tier="mid", verdict=sure, message={"content": "sure"}
    )
    reply = (await audit(replace(call, answers=(answer, second)), services))["reply"]
    assert (reply["model_used"], reply["tier"], reply["text"]) == ("sim/other", "mid", "sure")
    assert (reply["verdict"]["step"], reply["quality_score"], reply["cascade_steps"]) == (1, 0.9, 2)
