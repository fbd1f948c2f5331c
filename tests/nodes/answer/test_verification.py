from dataclasses import replace

import numpy as np
import pytest

from x25.nodes.answer.verification import (
    KEPT_SHARE,
    assess_answer,
    belief_after_assessment,
    is_judge_worth,
    judge_table_after,
    keep_judged,
    plan_inspection,
)
from x25.nodes.offers.situation import Situations
from x25.routing.answer.features import ANSWER_FEATURE_NAMES
from x25.routing.answer.verifier import Assessment, unpack_features
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.plan.decide import select
from x25.state.answers import Belief
from x25.state.records import Evidence
from x25.state.working_memory import Transition

PLANNED = {
    "explored": False, "audited": False, "is_judged": True, "judge_prob": 0.5, "chance_judge_prob": 0.0,
}  # fmt: skip


@pytest.fixture
def inspections(walk, services, with_decision):
    """Return a function that plans, again and again, how one answer will be looked at."""

    async def plan(verifiers, *, times=1, request=(), **decision):
        using = replace(services, verifiers=verifiers, rng=np.random.default_rng(4))
        call = with_decision(await walk("dispatch", **dict(request)), **{**PLANNED, **decision})
        situation = await using.situations.of(call, using)
        return [await plan_inspection(call, call.answers[0], situation, using) for _ in range(times)]

    return plan


async def test_a_share_of_looked_at_answers_is_kept_for_learning(inspections, planted):
    found = await inspections(planted(5.0), times=400)
    assert np.mean([one.is_kept for one in found]) == pytest.approx(KEPT_SHARE, abs=0.08)  # 4 sd
    assert [one.is_due for one in found] == [one.is_kept for one in found]
    assert {one.seen_prob for one in found} == {0.5 * KEPT_SHARE}


async def test_what_chance_has_judged_is_seen_as_often_as_chance_has_it(inspections, planted):
    found = await inspections(planted(5.0), chance_judge_prob=0.3)
    assert found[0].seen_prob == pytest.approx(0.3 + (0.5 - 0.3) * KEPT_SHARE)


async def test_answers_are_due_as_often_as_their_probability_says(walk, services, planted):
    """Over 1,500 decisions of the plan; the share lies within 4 standard deviations."""
    policy = {"allowed_providers": ["sim-c", "sim-judge"], "judged_share": 0.3}
    call = await walk("dispatch", policy=policy)
    situation = await services.situations.of(call, services)
    warm = {
        "sim/medium-3": Evidence("sim/medium-3", "qa", "mid", weight=99.0, weight_total=99.0, calls_seen=99)
    }
    probs, due = [], []
    for seed in range(1_500):
        using = replace(services, verifiers=planted(5.0), rng=np.random.default_rng(seed))
        decision, _ = select(situation.offers().arms, warm, situation.terms, using.rng)
        decided = replace(call, transitions=(Transition("start", "", decision),))
        found = await plan_inspection(decided, call.answers[0], situation, using)
        probs.append(found.seen_prob)
        due.append(found.is_due)
    assert 0.1 < np.mean(probs) < 0.9
    assert np.mean(due) == pytest.approx(np.mean(probs), abs=4.0 * (0.25 / len(due)) ** 0.5)


async def test_an_answer_that_was_not_to_be_judged_is_never_due(inspections, planted):
    found = await inspections(planted(5.0), times=60, is_judged=False)
    assert any(one.is_kept for one in found)
    assert not any(one.is_due or one.is_planned for one in found)


@pytest.mark.parametrize("drawn", ["explored", "audited"])
async def test_what_chance_wants_judged_is_judged(inspections, planted, drawn):
    found = await inspections(planted(5.0), times=30, **{drawn: True})
    assert all(one.is_due and one.is_kept for one in found)


@pytest.mark.parametrize("cells", [{}, {"code": 0.9}, {"qa": 0.59}])
async def test_a_task_nobody_audited_is_not_looked_at(inspections, planted, cells):
    (found,) = await inspections(planted(5.0, cell_auc=cells))
    assert found.verifier is None
    assert (found.is_due, found.seen_prob) == (True, 0.5)


async def test_a_tier_whose_audit_failed_is_not_looked_at(inspections, planted):
    verifiers = planted(5.0)
    tiers = dict.fromkeys(verifiers.verifier.tiers, replace(verifiers.verifier.tiers["slm"], audit_auc=0.5))
    verifiers.verifier = replace(verifiers.verifier, tiers=tiers)
    (found,) = await inspections(verifiers)
    assert found.verifier is None


async def test_strategies_without_a_plan_are_left_alone(inspections, planted):
    (found,) = await inspections(planted(5.0), request={"router": "x25-classic"})
    assert found.verifier is None
    assert found.is_due


async def test_a_judge_too_weak_to_be_planned_around_is_asked_as_decided(inspections, planted, label_scores):
    await label_scores((200,) * 5, (200,) * 5)
    found = await inspections(planted(5.0), times=30)
    assert all(one.is_due and one.verifier is not None for one in found)
    assert {one.seen_prob for one in found} == {0.5}


async def test_without_a_judge_nobody_is_paid(walk_to_model, services):
    for judge, can_pay in ((services.judge, True), (None, False)):
        using = replace(services, judge=judge, situations=Situations())
        call = await walk_to_model("dispatch", using=using)
        situation = await using.situations.of(call, using)
        found = await plan_inspection(call, call.answers[0], situation, using)
        assert (found.can_pay, found.is_planned) == (can_pay, can_pay)
        assert found.seen_prob == (1.0 if can_pay else 0.0)


async def test_a_cap_must_leave_what_a_judgement_can_cost_at_most(walk_to_model, services):
    call = await walk_to_model("dispatch")
    (answer,) = call.answers
    most = services.judge.bound_cost_nusd(call.messages, answer.message, services.judge.specs[0])

    async def can_pay(nusd):
        capped = replace(call, policy={"max_cost_per_call_usd": nusd / 1e9})
        situation = await services.situations.of(capped, services)
        return (await plan_inspection(capped, answer, situation, services)).can_pay

    assert await can_pay(call.spent_nusd + most)
    assert not await can_pay(call.spent_nusd + most - 1)


async def test_the_verifier_reads_the_answer_by_the_prompts_prediction_and_moves_mean_and_draw(walk, planted):
    call = await walk("dispatch")
    (answer,) = call.answers
    good = assess_answer(call, answer, planted(5.0).verifier)
    bad = assess_answer(call, answer, planted(-5.0).verifier)
    assert (good.bin, bad.bin) == (4, 0)
    assert bad.prob < answer.predicted_prob < good.prob
    before = Belief(0.6, 0.4)
    after = belief_after_assessment(good, before)
    assert (after.mean, after.theta) == (good.posterior(0.6), good.posterior(0.4))
    assert belief_after_assessment(bad, before).theta < 0.1


async def test_the_judge_is_worth_its_price_where_its_score_may_change_what_is_done(walk, services, planted):
    call = replace(await walk("dispatch", policy={"max_tier": "slm"}), policy={})
    call = replace(
        call, selection=replace(call.selection, beliefs={})
    )  # no draw: all stand at their predictions
    situation = await services.situations.of(call, services)
    assessment = assess_answer(call, call.answers[0], planted(5.0).verifier)

    def is_worth(theta, judge_cost):
        prices = replace(situation.terms.prices, judge_cost=judge_cost)
        priced = replace(situation, terms=replace(situation.terms, prices=prices))
        return is_judge_worth(call, priced, assessment, theta, DEFAULT_TABLE)

    assert is_worth(0.75, 1e-6)
    assert not is_worth(0.75, 10.0)
    assert not is_worth(0.999, 1e-6)  # good enough whatever it says
    assert not is_worth(0.01, 1e-6)  # a climb whatever it says


async def test_no_judge_is_worth_its_price_where_nobody_dearer_is_left_to_ask(walk, services, planted):
    call = await walk("dispatch", policy={"allowed_providers": ["sim-f", "sim-judge"]})
    situation = await services.situations.of(call, services)
    assessment = assess_answer(call, call.answers[0], planted(5.0).verifier)
    assert not any(
        is_judge_worth(call, situation, assessment, theta, DEFAULT_TABLE) for theta in (0.1, 0.5, 0.9)
    )


async def test_judged_answers_are_kept_as_numbers_once(walk_to_model, services):
    call = await walk_to_model("judge")
    (answer,) = call.answers
    for _ in range(2):
        await keep_judged(call, services)
    (kept,) = await services.store.judged_answers.newest(call.org, 9)
    assert kept.seen.score_bin == answer.verdict.observation.bin
    assert kept.seen.prior_prob == answer.predicted_prob
    features = dict(zip(ANSWER_FEATURE_NAMES, unpack_features(kept.seen.features), strict=True))
    assert features["log_chars"] > 0.0


async def test_answers_the_verifier_picked_and_those_of_callers_who_keep_nothing_are_not_kept(
    walk_to_model, services
):
    call = await walk_to_model("judge")
    (answer,) = call.answers
    seen = replace(answer.verdict.observation, is_due=False)
    picked = replace(answer, verdict=replace(answer.verdict, observation=seen))
    await keep_judged(replace(call, answers=(picked,)), services)
    await keep_judged(call, replace(services, limits=replace(services.limits, store_inputs=False)))
    assert await services.store.judged_answers.newest(call.org, 9) == []


def test_after_the_verifier_the_judge_tells_less(planted):
    given = judge_table_after(Assessment(0.9, 3.0, 4, planted(5.0).table), DEFAULT_TABLE)
    assert given.posterior(0.5, 4) < DEFAULT_TABLE.posterior(0.5, 4)
