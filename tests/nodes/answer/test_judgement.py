from dataclasses import replace

import pytest

from x25.nodes.answer.judgement import ask_judge, can_pay_judge
from x25.routing.answer.checks import CheckReport

PASSED = CheckReport(made=("not_empty",), failed=None, reason=None)


@pytest.fixture
async def answered(walk_to_model):
    return await walk_to_model("dispatch")


async def test_without_a_judge_nobody_is_paid(answered, services):
    assert can_pay_judge(answered, services)
    assert not can_pay_judge(answered, replace(services, judge=None))


async def test_a_cap_must_leave_what_a_judgement_can_cost_at_most(answered, services):
    answer = answered["held"][-1]
    most = services.judge.bound_cost_nusd(answered["messages"], answer["message"], answer["provider"])
    spent = sum(one["spent_nusd"] for one in answered["attempts"])

    def capped(nusd: int) -> dict:
        return answered | {"policy": {"max_cost_per_call_usd": nusd / 1e9}}

    assert can_pay_judge(capped(spent + most), services)
    assert not can_pay_judge(capped(spent + most - 1), services)


async def test_a_verdict_comes_with_the_attempt_it_cost(answered, services):
    verdict, attempts = await ask_judge(answered, services, PASSED, 0.6)
    (attempt,) = attempts
    assert (verdict.source, verdict.judge_model) == ("judge", "sim/judge-1")
    assert (attempt["kind"], attempt["status"]) == ("judge", "finished")
    assert verdict.judge_cost_nusd == attempt["spent_nusd"] > 0


async def test_a_judge_that_fails_costs_what_it_may_have_billed(answered, services, fault):
    fault("malformed", "sim/judge-1")
    verdict, attempts = await ask_judge(answered, services, PASSED, 0.6)
    assert (verdict.score, verdict.source) == (None, "none")
    assert verdict.reason.startswith("malformed")
    assert (attempts[0]["status"], attempts[0]["cost_source"]) == ("failed", "reserved")
