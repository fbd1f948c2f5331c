from dataclasses import replace

import pytest

from x25.nodes.dispatch import dispatch
from x25.nodes.judge import judge


async def test_a_judged_answer_has_a_score_a_reason_and_a_price(walk_to_model, bills):
    call = await walk_to_model("judge")
    (answer,) = call.answers
    verdict, seen = answer.verdict, answer.verdict.observation
    assert (verdict.source, seen.outcome, seen.judge_model) == ("judge", "scored", "sim/judge-1")
    assert 0 <= verdict.score <= 1
    assert verdict.score == seen.score
    assert verdict.reason
    (bill,) = bills(call.call_id, judge=True)
    judgement = answer.attempts[-1]
    assert verdict.judge_cost_nusd == round(bill["cost_usd"] * 1e9) == judgement.spent_nusd
    assert (judgement.kind, judgement.step, judgement.attempt_id) == ("judge", 0, bill["attempt_id"])


async def test_a_failed_check_needs_no_judge(walk_to_model, fault, bills):
    fault("empty")
    call = await walk_to_model("judge")
    verdict = call.answers[0].verdict
    assert (verdict.source, verdict.failed_check, verdict.score) == ("checks", "not_empty", 0.0)
    assert verdict.observation.outcome == "failed_check"
    assert bills(call.call_id, judge=True) == []


@pytest.mark.parametrize("reason", ["nobody can", "it was not due"])
async def test_where_nobody_judges_the_quality_is_an_estimate(
    walk_to_model, services, with_decision, bills, reason
):
    alone = replace(services, judge=None) if reason == "nobody can" else services
    call = await walk_to_model("dispatch", using=alone)
    change = await judge(with_decision(call, is_judged=False), alone)
    verdict = change["answers"][0].verdict
    assert (verdict.source, verdict.observation.outcome, verdict.observation.bin) == (
        "estimate", "unseen", None,
    )  # fmt: skip
    assert verdict.score == verdict.belief.mean
    assert verdict.checks_made == ("not_empty", "not_cut_off", "not_refused")
    assert change["transitions"][-1].kind == "stop"
    assert bills(call.call_id, judge=True) == []


async def test_a_judge_that_fails_gives_no_score_and_says_why(walk_to_model, fault):
    fault("500", "sim/judge-*")
    (answer,) = (await walk_to_model("judge")).answers
    verdict = answer.verdict
    assert (verdict.score, verdict.source, verdict.observation.bin) == (None, "none", None)
    assert verdict.reason.startswith("server: ")
    assert answer.attempts[-1].status == "failed"


async def test_without_an_answer_another_model_is_chosen_instead(walk, fault):
    fault("500", "sim/tiny-*", "sim/small-*", "sim/medium-*")
    call = await walk("judge", policy={"max_tier": "mid"})
    assert [answer.verdict for answer in call.answers] == [None]
    assert [one.kind for one in call.transitions] == ["start", "fallback"]
    assert (call.count("fallback"), call.count("escalate")) == (1, 0)
    assert call.decision.model_id not in call.failed_models


async def test_every_dispatch_has_a_step_of_its_own_whether_it_failed_or_not(walk, services, fault):
    fault("500", "sim/tiny-*", "sim/small-*", "sim/medium-*")
    call = await walk("judge", policy={"max_tier": "mid"})
    fault("missing_usage")
    call = replace(call, **await dispatch(call, services))
    assert [(answer.step, answer.failure is None) for answer in call.answers] == [(0, False), (1, True)]
    assert call.bought == call.answers[1:]
    assert [{attempt.step for attempt in answer.attempts} for answer in call.answers] == [{0}, {1}]
    assert call.bought[0].usage == {}  # the provider did not say
    assert call.spent_nusd == call.bought[0].attempts[0].reserved_nusd


async def test_a_judgement_lost_in_a_crash_is_not_paid_for_twice(walk_to_model, services, bills):
    resumable = replace(services, limits=replace(services.limits, resumable=True))
    call = await walk_to_model("dispatch", using=resumable)
    await judge(call, resumable)
    change = await judge(call, resumable)  # as after a crash before the verdict's checkpoint
    (bill,) = bills(call.call_id, judge=True)
    (answer,) = change["answers"]
    assert (answer.verdict.source, answer.verdict.judge_cost_nusd) == ("none", round(bill["cost_usd"] * 1e9))
    assert answer.verdict.reason.startswith("interrupted")
    assert [one.kind for one in answer.attempts] == ["answer", "judge"]


async def test_a_judge_found_blind_by_labels_makes_nobody_climb(walk_to_model, label_scores):
    await label_scores((200,) * 5, (200,) * 5, org="blind")
    kinds = {"seeing": set(), "blind": set()}
    for org, found in kinds.items():
        for number in range(6):
            prompt = (
                f"Prove in full that the {number + 2}nd moment of a stable law of index 1.{number} diverges."
            )
            policy = {"allowed_providers": ["sim-a", "sim-b", "sim-c", "sim-judge"]}
            call = await walk_to_model("judge", org=org, prompt=prompt, policy=policy)
            assert call.answers[0].verdict.source == "judge"
            found.add(call.transitions[-1].kind)
    assert kinds["blind"] == {"stop"}
    assert "escalate" in kinds["seeing"]
