import json
from dataclasses import replace

import pytest

from x25.nodes.audit import audit
from x25.state.types import Context


@pytest.fixture
def learned(walk_to_model):
    return lambda **request: walk_to_model("update_posterior", **request)


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


async def test_the_reply_has_the_logprobs_of_the_answer_it_returns_and_null_where_nobody_asked(
    learned, services
):
    assert (await audit(await learned(), services))["reply"]["logprobs"] is None
    call = await learned(options={"logprobs": True})
    (first,) = call.answers
    sure = replace(first.verdict, belief=replace(first.verdict.belief, mean=0.99), score=0.9)
    said = {"content": [{"token": "é", "logprob": -0.5, "bytes": None, "top_logprobs": []}], "refusal": None}
    second = replace(first, step=1, message={"content": "é"}, verdict=sure, logprobs=json.dumps(said))
    reply = (await audit(replace(call, answers=(first, second)), services))["reply"]
    assert (reply["text"], reply["logprobs"]) == ("é", said)
    assert json.loads(first.logprobs)["content"][0]["token"] == first.message["content"][:4]


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
