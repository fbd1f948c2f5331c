from copy import copy
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from x25.nodes.answer.judgement import examine
from x25.nodes.answer.verification import KEPT_SHARE
from x25.nodes.offers.situation import Situations
from x25.providers.base import Completion
from x25.providers.gateway import OPENAI_WIRE, Gateway
from x25.providers.health import HealthBook
from x25.providers.judge import JudgePrompt, LLMJudge
from x25.providers.keyring import Keyring
from x25.routing.belief.likelihood import likelihood, posterior
from x25.state.errors import ProviderServer
from x25.state.money.budgets import Budget
from x25.state.usage import Usage


@pytest.fixture
def examined(services):
    """Return a function that gives the newest answer of a call its verdict."""

    async def verdict(call, using=None):
        chosen = using or services
        return await examine(call, await chosen.situations.of(call, chosen), chosen)

    return verdict


async def test_a_verdict_comes_with_the_attempt_it_cost(walk_to_model, examined):
    call = await walk_to_model("dispatch")
    answer = await examined(call)
    asked, judged = answer.attempts
    assert (asked,) == call.answers[0].attempts
    assert (judged.kind, judged.status, judged.step) == ("judge", "finished", 0)
    assert answer.verdict.judge_cost_nusd == judged.spent_nusd == answer.spent_nusd("judge") > 0
    assert answer.verdict.verification is None


async def test_a_score_is_seen_in_its_bin_with_the_probability_of_having_been_asked_for(
    walk_to_model, examined, services, with_decision
):
    call = with_decision(await walk_to_model("dispatch"), judge_prob=0.25)
    verdict = (await examined(call)).verdict
    seen = verdict.observation
    assert (seen.outcome, seen.judge_model, seen.seen_prob) == ("scored", "sim/judge-1", 0.25)
    assert seen.bin == services.judge_table.bin_of(verdict.score)
    assert seen.teaches
    before = call.selection.beliefs["sim/tiny-1"]
    assert verdict.belief.mean == posterior(before.mean, likelihood(seen, services.judge_table))
    assert verdict.belief.theta == posterior(before.theta, likelihood(seen, services.judge_table))


async def test_a_judge_that_fails_costs_what_it_may_have_billed(walk_to_model, examined, fault):
    call = await walk_to_model("dispatch")
    fault("malformed", "sim/judge-1")
    answer = await examined(call)
    verdict, attempt = answer.verdict, answer.attempts[-1]
    assert (verdict.score, verdict.source) == (None, "none")
    assert verdict.reason.startswith("malformed")
    assert (attempt.status, attempt.cost_source) == ("failed", "reserved")
    assert not verdict.observation.teaches


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"allowed_providers": ["sim-a"]}, "allowed_providers: sim-judge is not one of sim-a"),
        ({"max_cost_per_token": 5e-7}, "max_cost_per_token: $0.000000600 > $0.000000500"),
    ],
)
async def test_a_judge_the_policy_rules_out_is_not_asked_and_the_verdict_says_why(
    walk_to_model, examined, services, bills, policy, why
):
    call = await walk_to_model("dispatch", policy=policy)
    answer = await examined(call)
    assert (answer.verdict.source, answer.verdict.judge_cost_nusd) == ("estimate", 0)
    assert answer.verdict.not_judged == f"no judge may be asked: sim/judge-1 ({why})"
    assert answer.verdict.observation.seen_prob == 0.0
    assert bills(call.call_id, judge=True) == []
    assert not call.decision.is_judged
    situation = await services.situations.of(call, services)
    assert (situation.judge, situation.judges_removed) == (None, {"sim/judge-1": why})


async def test_of_several_judges_the_first_permitted_one_is_asked(walk_to_model, examined, services, bills):
    near = replace(services.judge.specs[0], model_id="sim/judge-near", provider="sim-near")
    both = copy(services.judge)
    both.specs = (services.judge.specs[0], near)
    using = replace(services, judge=both, situations=Situations())
    call = await walk_to_model("dispatch", using=using, policy={"allowed_providers": ["sim-a", "sim-near"]})
    answer = await examined(call, using)
    assert answer.verdict.observation.judge_model == "sim/judge-near"
    assert (answer.verdict.not_judged, len(bills(call.call_id, judge=True))) == (None, 1)


@pytest.fixture
def two_judges(services):
    """Services with a judge whose only deployment is nowhere before the one that grades."""
    (judge,) = services.judge.specs
    nowhere = replace(judge.deployments[0], name="nowhere", base_url="http://127.0.0.1:9/v1")
    gone = replace(judge, model_id="sim/judge-gone", deployments=(nowhere,))
    both = copy(services.judge)
    both.specs = (gone, judge)
    return replace(services, judge=both, situations=Situations())


async def test_where_a_judge_cannot_be_reached_the_next_one_grades_and_both_are_recorded(
    walk_to_model, examined, two_judges
):
    call = await walk_to_model("dispatch", using=two_judges)
    answer = await examined(call, two_judges)
    assert answer.verdict.observation.judge_model == "sim/judge-1"
    failed, graded = answer.attempts[1:]
    assert (failed.model_id, failed.error, failed.spent_nusd) == ("sim/judge-gone", "connection", 0)
    assert (graded.model_id, graded.status) == ("sim/judge-1", "finished")
    assert failed.attempt_id != graded.attempt_id
    assert answer.verdict.judge_cost_nusd == graded.spent_nusd


async def test_a_judge_whose_breaker_is_open_is_passed_over_and_the_verdict_says_so(
    walk_to_model, examined, two_judges
):
    gone, judge = two_judges.judge.specs
    breakers = two_judges.gateway.breakers
    call = await walk_to_model("dispatch", using=two_judges)
    for _ in range(8):
        breakers.failed(gone, gone.deployments[0], None, ProviderServer("down"), monotonic(), call.org)
    answer = await examined(call, two_judges)
    assert answer.verdict.observation.judge_model == "sim/judge-1"
    assert answer.verdict.judges_passed_over.startswith("sim/judge-gone (sim/judge-gone failed too often")
    assert len(answer.attempts) == 2
    for _ in range(8):
        breakers.failed(judge, judge.deployments[0], None, ProviderServer("down"), monotonic(), call.org)
    unjudged = (await examined(call, two_judges)).verdict
    assert (unjudged.source, unjudged.observation.seen_prob) == ("estimate", 0.0)
    assert unjudged.not_judged.startswith("no judge can be asked now: sim/judge-")
    breakers.answered(judge.deployments[0], None, call.org)


async def test_an_answer_the_cap_cannot_judge_is_kept_unjudged(walk_to_model, examined, bills):
    call = await walk_to_model("dispatch")
    capped = replace(call, policy={"max_cost_per_call_usd": (call.spent_nusd + 1) / 1e9})
    verdict = (await examined(capped)).verdict
    assert (verdict.source, verdict.observation.seen_prob, verdict.observation.is_due) == (
        "estimate", 0.0, False,
    )  # fmt: skip
    assert verdict.not_judged.startswith("max_cost_per_call_usd: a judgement can cost $")
    assert bills(call.call_id, judge=True) == []


async def test_a_model_the_first_decision_could_not_draw_is_believed_at_its_prediction(
    walk_to_model, examined, services
):
    alone = replace(services, judge=None, situations=Situations())
    call = await walk_to_model("dispatch", using=alone)
    unknown = replace(call, selection=replace(call.selection, beliefs={}))
    belief = (await examined(unknown, alone)).verdict.belief
    assert belief.mean == belief.theta
    assert belief.mean > call.answers[0].predicted_prob  # it passed the checks


# what a failed check counts for


@pytest.fixture
def failing(walk_to_model, with_decision, fault):
    """Return a function that walks to an empty answer whose decision is as given."""

    async def walked(using=None, router="x25-classic", **decision):
        fault("empty")
        call = await walk_to_model("dispatch", using=using, router=router)
        return with_decision(call, **decision)

    return walked


async def test_a_failed_check_counts_where_a_judge_was_due(failing, examined):
    seen = (await examined(await failing(judge_prob=0.25))).verdict.observation
    assert (seen.outcome, seen.score, seen.bin, seen.judge_model) == ("failed_check", 0.0, None, None)
    assert (seen.teaches, seen.seen_prob) == (True, 0.25)


async def test_a_failed_check_counts_for_nothing_where_nobody_judges(failing, examined, services):
    alone = replace(services, judge=None, situations=Situations())
    verdict = (await examined(await failing(alone), alone)).verdict
    assert (verdict.source, verdict.failed_check) == ("checks", "not_empty")
    assert (verdict.observation.teaches, verdict.observation.seen_prob) == (False, 0.0)


async def test_a_failed_check_counts_for_nothing_where_no_judgement_was_due(failing, examined):
    seen = (await examined(await failing(is_judged=False, judge_prob=0.25))).verdict.observation
    assert (seen.teaches, seen.seen_prob) == (False, 0.25)


async def test_a_failed_check_counts_for_nothing_where_the_cap_pays_no_judge(failing, examined):
    call = await failing()
    capped = replace(call, policy={"max_cost_per_call_usd": (call.spent_nusd + 1) / 1e9})
    assert not (await examined(capped)).verdict.observation.teaches


async def test_failed_checks_count_as_often_as_the_judge_answers(failing, examined, services):
    """A judge failing half the time; over 600 seeds the share lies within 4 standard deviations of the right one."""
    health, judge = HealthBook(), services.judge.specs[0]
    for request in range(200):
        latency_ms = None if request % 2 else 10.0
        health.note(judge.model_id, judge.deployments[0].name, latency_ms, 0.0, "default")
    half = replace(services, health=health, clock_s=lambda: 0.0, situations=Situations())
    answers_prob = health.outlook(judge, 0.0, "default").success_prob
    assert 0.45 < answers_prob < 0.6
    call = await failing(judge_prob=0.5)
    taught = []
    for seed in range(600):
        seen = (await examined(call, replace(half, rng=np.random.default_rng(seed)))).verdict.observation
        assert seen.seen_prob == 0.5 * answers_prob
        taught.append(seen.teaches)
    sd = (answers_prob * (1.0 - answers_prob) / len(taught)) ** 0.5
    assert np.mean(taught) == pytest.approx(answers_prob, abs=4.0 * sd)


async def test_a_check_counts_for_the_kept_share_where_a_verifier_decides_about_the_judge(
    failing, examined, services, planted
):
    call = await failing(
        router="auto", is_judged=True, explored=False, audited=False, judge_prob=0.5, chance_judge_prob=0.0
    )
    verifying = replace(services, verifiers=planted(5.0))
    taught = []
    for seed in range(600):
        seen = (await examined(call, replace(verifying, rng=np.random.default_rng(seed)))).verdict.observation
        assert seen.seen_prob == 0.5 * KEPT_SHARE
        taught.append(seen.teaches)
    assert np.mean(taught) == pytest.approx(KEPT_SHARE, abs=4.0 * (0.16 / 600) ** 0.5)


# the org's own verifier


@pytest.fixture
def verified(walk, examined, services, with_decision, planted):
    """Return a function that examines one answer, planned to be judged, where the verifier finds this evidence."""

    async def judged(evidence, seed, **decision):
        using = replace(services, verifiers=planted(evidence), rng=np.random.default_rng(seed))
        planned = {"explored": False, "audited": False, "is_judged": True, **decision}
        call = with_decision(await walk("dispatch"), **planned)
        return call, await examined(call, using)

    return judged


KEPT_SEED, DECIDED_SEED = 3, 0
"""A draw below `KEPT_SHARE`, and one above it."""


async def test_a_sure_verifier_spares_the_judge_and_says_so(verified, planted):
    assert np.random.default_rng(DECIDED_SEED).random() > KEPT_SHARE
    call, answer = await verified(5.0, DECIDED_SEED)
    verification = answer.verdict.verification
    assert (verification.bin, verification.kept_share) == (4, KEPT_SHARE)
    assert (verification.decided, verification.is_judged) == (True, False)
    assert (answer.verdict.source, len(answer.attempts)) == ("estimate", 1)
    assert not answer.verdict.observation.teaches
    before = call.selection.beliefs[answer.model_id]
    assert answer.verdict.belief.theta > planted(5.0).table.posterior(
        before.theta, 4
    )  # the checks passed too


async def test_a_kept_answer_is_judged_as_planned_and_teaches(verified, services):
    assert np.random.default_rng(KEPT_SEED).random() < KEPT_SHARE
    call, answer = await verified(5.0, KEPT_SEED)
    verification, seen = answer.verdict.verification, answer.verdict.observation
    assert (verification.decided, verification.is_judged) == (False, True)
    assert (seen.outcome, seen.teaches) == ("scored", True)
    chance, planned = call.decision.chance_judge_prob, call.decision.judge_prob
    assert seen.seen_prob == pytest.approx(chance + (planned - chance) * KEPT_SHARE)


async def test_after_the_verifier_a_judges_score_moves_belief_less(verified, planted, services):
    call, answer = await verified(5.0, KEPT_SEED)
    before = call.selection.beliefs[answer.model_id]
    seen = answer.verdict.observation
    assessed = planted(5.0).table.posterior(before.mean, 4)
    alone = services.judge_table.posterior(assessed, seen.bin)
    assert abs(answer.verdict.belief.mean - assessed) < abs(alone - assessed)


async def test_without_a_judge_the_verifier_moves_belief_and_asks_nobody(walk, examined, services, planted):
    alone = replace(services, judge=None, verifiers=planted(-5.0), situations=Situations())
    call = await walk("dispatch", using=alone)
    verdict = (await examined(call, alone)).verdict
    assert (verdict.verification.is_judged, verdict.verification.decided) == (False, False)
    assert verdict.source == "estimate"
    assert verdict.belief.mean < call.selection.beliefs[call.decision.model_id].mean / 4


async def test_a_budget_that_cannot_pay_the_judge_leaves_the_answer_unjudged(
    walk_to_model, examined, services
):
    call = await walk_to_model("dispatch", policy={"budget_usd_per_call": 1.0})
    budget = Budget.per_call(10**9)
    spent = f"UPDATE budgets SET spent_nusd = {10**13} WHERE account = '{budget.account}'"
    await services.store.transact(lambda connection: connection.exec_driver_sql(spent).rowcount)
    answer = await examined(call)
    assert (answer.verdict.source, len(answer.attempts)) == ("estimate", 1)
    assert not answer.verdict.observation.teaches


# how the judge replies


class Says:
    """Speaks for a judge: replies with one text and 100 + 10 tokens."""

    def __init__(self, text):
        self.text = text

    async def complete(self, request):
        message = {"role": "assistant", "content": self.text}
        return Completion(message, "stop", Usage(100, 10), "judge", 5.0, request.deployment.name)


@pytest.fixture
def judged_by(walk_to_model, examined, services):
    """Return a function that gives one answer its verdict by a judge that replies with a text."""

    async def judged(text):
        gateway = Gateway({OPENAI_WIRE: Says(text)}, Keyring({}))
        judge = LLMJudge(services.judge.specs, gateway, JudgePrompt(version="1", system="Grade."))
        using = replace(services, judge=judge, situations=Situations())
        return await examined(await walk_to_model("dispatch", using=using), using)

    return judged


async def test_a_wrapped_grade_counts_and_costs_as_the_bare_one(judged_by, services):
    bare = await judged_by('{"reason": "ok", "score": 0.9}')
    fenced = await judged_by('<think>hm</think>\n```json\n{"reason": "ok", "score": 0.9}\n```')
    cost_nusd = services.judge.specs[0].cost_nusd(Usage(100, 10))
    for answer in (bare, fenced):
        assert (answer.verdict.source, answer.verdict.score) == ("judge", 0.9)
        assert answer.verdict.judge_cost_nusd == cost_nusd < answer.attempts[-1].reserved_nusd


async def test_a_reply_without_a_grade_costs_what_it_cost_and_leaves_the_answer(judged_by, services):
    answer = await judged_by("A fine answer!")
    verdict, attempt = answer.verdict, answer.attempts[-1]
    assert (verdict.score, verdict.source) == (None, "none")
    assert answer.message["content"]
    assert verdict.reason.startswith("malformed")
    assert not verdict.observation.teaches
    assert (attempt.status, attempt.error, attempt.cost_source) == ("failed", "malformed", "computed")
    assert (
        attempt.cost_nusd
        == verdict.judge_cost_nusd
        == services.judge.specs[0].cost_nusd(Usage(100, 10))
        < attempt.reserved_nusd
    )


# limits on the length


@pytest.mark.parametrize("options", [{"max_tokens": 1}, {"max_completion_tokens": 1}])
async def test_an_answer_cut_at_the_callers_limit_is_no_fault_and_teaches_nothing(
    walk_to_model, examined, options
):
    call = await walk_to_model("dispatch", options=options)
    assert call.answers[-1].finish_reason == "length"
    answer = await examined(call)
    verdict = answer.verdict
    assert (verdict.failed_check, verdict.checks_made, verdict.source) == (None, (), "estimate")
    assert (verdict.observation.outcome, verdict.observation.teaches) == ("unseen", False)
    assert len(answer.attempts) == 1  # nor is a judge paid to say that it is incomplete


async def test_an_answer_cut_at_the_routers_own_limit_teaches_nothing_either(
    walk_to_model, examined, services
):
    short = replace(
        services, limits=replace(services.limits, default_max_output_tokens=2), situations=Situations()
    )
    call = await walk_to_model("dispatch", using=short)
    verdict = (await examined(call, short)).verdict
    assert (verdict.failed_check, verdict.observation.teaches) == (None, False)


async def test_an_answer_cut_at_the_models_own_limit_is_cut_off(walk_to_model, examined):
    call = await walk_to_model("dispatch", options={"max_tokens": 50_000})
    cut = replace(call, answers=(replace(call.answers[-1], finish_reason="length"),))
    assert (await examined(cut)).verdict.failed_check == "not_cut_off"
