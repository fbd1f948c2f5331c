from dataclasses import replace

import pytest

from x25.nodes.judge import judge


async def test_a_judged_answer_has_a_score_a_reason_and_a_price(walk_to_model, bills):
    state = await walk_to_model("judge")
    (verdict,) = state["verdicts"]
    assert (verdict["source"], verdict["judge_model"], verdict["step"]) == ("judge", "sim/judge-1", 0)
    assert 0 <= verdict["score"] <= 1
    assert verdict["reason"]
    (bill,) = bills(state["call_id"], judge=True)
    assert verdict["judge_cost_nusd"] == round(bill["cost_usd"] * 1e9) == state["attempts"][-1]["spent_nusd"]
    assert state["held"][0]["quality"] == verdict["posterior"]
    assert state["held"][0]["predicted"] == state["completion_probs"]["sim/tiny-1"]


async def test_a_failed_check_needs_no_judge(walk_to_model, fault, bills):
    fault("empty")
    state = await walk_to_model("judge")
    (verdict,) = state["verdicts"]
    assert (verdict["source"], verdict["failed_check"], verdict["score"]) == ("checks", "not_empty", 0.0)
    assert bills(state["call_id"], judge=True) == []


@pytest.mark.parametrize("reason", ["nobody can", "it was not due"])
async def test_where_nobody_judges_the_quality_is_an_estimate(walk_to_model, services, bills, reason):
    state = await walk_to_model("dispatch")
    if reason == "nobody can":
        services = replace(services, judge=None)
    else:
        state["decision"] = {**state["decision"], "judge": False}
    seen = await judge(state, services)
    (verdict,) = seen["verdicts"]
    assert (verdict["source"], verdict["bin"]) == ("estimate", None)
    assert verdict["score"] == pytest.approx(verdict["posterior"])
    assert verdict["checks_made"] == ["not_empty", "not_cut_off", "not_refused"]
    assert seen["move"] == "stop"
    assert bills(state["call_id"], judge=True) == []


async def test_a_judge_that_fails_gives_no_score_and_says_why(walk_to_model, fault):
    fault("500", "sim/judge-*")
    state = await walk_to_model("judge")
    (verdict,) = state["verdicts"]
    assert (verdict["score"], verdict["source"], verdict["bin"]) == (None, "none", None)
    assert verdict["reason"].startswith("server: ")
    assert state["attempts"][-1]["status"] == "failed"


async def test_without_an_answer_another_model_is_chosen_instead(walk, fault):
    fault("500", "sim/tiny-*", "sim/small-*", "sim/medium-*")
    state = await walk("judge", policy={"max_tier": "mid"})
    assert state["verdicts"] == []
    assert (state["move"], state["fallbacks"], state["escalations"]) == ("escalate", 1, 0)
    assert state["decision"]["model_id"] not in state["failed_models"]


async def test_a_judgement_lost_in_a_crash_is_not_paid_for_twice(walk_to_model, services, bills):
    resumable = replace(services, limits=replace(services.limits, resumable=True))
    state = await walk_to_model("dispatch", using=resumable)
    await judge(state, resumable)
    seen = await judge(state, resumable)  # as after a crash before the verdict's checkpoint
    (bill,) = bills(state["call_id"], judge=True)
    (verdict,) = seen["verdicts"]
    assert (verdict["source"], verdict["judge_cost_nusd"]) == ("none", round(bill["cost_usd"] * 1e9))
    assert verdict["reason"].startswith("interrupted")


async def test_a_judge_found_blind_by_labels_makes_nobody_climb(walk_to_model, services):
    from x25.state.learning.judge_tables import count_label

    def add(connection):
        for score_bin in range(5):
            for right in (1.0, 0.0) * 200:
                count_label(connection, org, "sim/judge-1", services.judge_table.edges, score_bin, right)

    org = "blind"
    await services.store.transact(add)
    moves = {"seeing": set(), "blind": set()}
    for name, found in moves.items():
        for number in range(6):
            prompt = (
                f"Prove in full that the {number + 2}nd moment of a stable law of index 1.{number} diverges."
            )
            policy = {"allowed_providers": ["sim-a", "sim-b", "sim-c"]}
            state = await walk_to_model("judge", org=name, prompt=prompt, policy=policy)
            assert state["verdicts"][0]["source"] == "judge"
            found.add(state["move"])
    assert moves["blind"] == {"stop"}
    assert "escalate" in moves["seeing"]
