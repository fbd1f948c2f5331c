from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.drift import THRESHOLD
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.plan.cascade import PlanPrices, PlanResult
from x25.routing.plan.exploration import (
    COLD_WEIGHT,
    DOUBTED_NATS,
    EXPLORATION_BUDGET,
    LEAST_EXPLORATION,
    SETTLED_ERROR,
    TRIAL_RATE,
    Chance,
    audit_rates,
    certain,
    observations_to_settle,
    trial_rates,
)
from x25.routing.plan.ladder import climb
from x25.routing.plan.terms import Terms
from x25.state.records import Arm, Evidence

EXACT = JudgeTable(
    "exact", DEFAULT_TABLE.edges, (0.01, 0.02, 0.05, 0.12, 0.80), (0.80, 0.12, 0.05, 0.02, 0.01)
)


def arm(model_id, tier, cost):
    return Arm(model_id, "acme", tier, cost, 10.0, 0.7, 0.1, 0.4, 100_000, 4_096)


ARMS = [arm("tiny", "slm", 1), arm("middle", "mid", 10), arm("giant", "frontier", 100)]


def ladder_of(draws: int):
    return climb(ARMS, np.full((draws, 3), 0.7), PlanPrices(0.0, 0.0, 0.0), (1, 1))


def actions_to(*columns: int, judge: bool = False) -> PlanResult:
    return PlanResult(np.array(columns), np.full(len(columns), judge), np.zeros(len(columns)))


def test_a_cheap_plan_is_explored_less_never_not_at_all_and_never_the_planned_tier_itself():
    chance = Chance(epsilon=0.03, audit_rates=(0.0,) * 3, can_judge=True)
    cheap, middle, dear = exploring = chance.exploration(ladder_of(3), actions_to(0, 1, 2))
    mean = 37.0
    assert cheap.sum() == pytest.approx(2 / 3 * max(EXPLORATION_BUDGET * 1 / mean, LEAST_EXPLORATION * 0.03))
    # A cheaper tier costs nothing to try, so it has its third of epsilon; a dearer one a third of the budget.
    assert middle.sum() == pytest.approx(0.01 + 1 / 3 * EXPLORATION_BUDGET * 10 / mean)
    assert dear.sum() == pytest.approx(0.02)
    assert np.diag(exploring).tolist() == [0.0] * 3


def test_propensities_of_all_arms_sum_to_one():
    chance = Chance(epsilon=0.3, audit_rates=(0.1,) * 3, can_judge=True)
    ladder, actions = ladder_of(4), actions_to(0, 0, 1, 2)
    assert sum(chance.propensity(ladder, actions, column, column)[0] for column in range(3)) == pytest.approx(
        1.0
    )


def test_exploring_and_audits_have_answers_judged_whatever_the_plan_says():
    ladder, actions = ladder_of(2), actions_to(0, 0, judge=True)
    nothing, audits = np.zeros((2, 3)), Chance(epsilon=0.0, audit_rates=(0.25,) * 3, can_judge=True)
    assert audits.chance_judge_prob(ladder, actions, 0, 0, nothing) == pytest.approx(0.25)
    exploring = np.full((2, 3), 0.1)
    # Of 0.8 the quarter audited, 0.7 + 0.1 of the arm's whole: planned seven times in ten, explored once.
    assert audits.chance_judge_prob(ladder, actions, 0, 0, exploring) == pytest.approx(
        (0.7 * 0.25 + 0.1) / 0.8
    )
    assert audits.chance_judge_prob(ladder, actions, 1, 1, exploring) == pytest.approx(1.0)
    nobody = Chance(epsilon=0.3, audit_rates=(0.25,) * 3, can_judge=False)
    assert nobody.chance_judge_prob(ladder, actions, 0, 0, exploring) == 0.0


def test_the_judged_share_follows_from_plan_audit_and_exploration():
    ladder = ladder_of(2)
    never = Chance(epsilon=0.0, audit_rates=(0.25,) * 3, can_judge=True)
    assert never.propensity(ladder, actions_to(0, 0), 0, 0) == (1.0, pytest.approx(0.25))
    assert never.propensity(ladder, actions_to(0, 0, judge=True), 0, 0) == (1.0, 1.0)


def seen(model_id: str, n: float, rate: float, p: float = 0.7) -> Evidence:
    tier = {"tiny": "slm", "middle": "mid", "giant": "frontier"}[model_id]
    return Evidence(model_id, "code", tier, 0, 0, rate * n, p * n, n, weight_total=n)


def terms_of(bar: float | None = None, **more) -> Terms:
    prices = PlanPrices(quality_bar=bar, judge_cost=more.pop("judge_cost", 0.0))
    return Terms(more.pop("strategy", "plan"), prices, 100, 1.0, more.pop("table", DEFAULT_TABLE), **more)


def test_cold_arms_are_always_audited_and_warm_ones_at_the_rate_faded_or_not():
    evidence = {
        "middle": Evidence("middle", "code", "mid", weight=COLD_WEIGHT / 2),
        "giant": Evidence("giant", "code", "frontier", weight=1.0, weight_total=10 * COLD_WEIGHT),
    }
    assert audit_rates(ARMS, evidence, terms_of()) == pytest.approx((1.0, 0.525, 0.05))


def test_a_suspected_arm_is_judged_as_often_as_it_is_suspected():
    evidence = {"giant": seen("giant", 10 * COLD_WEIGHT, 0.9)}
    assert audit_rates(ARMS, evidence, terms_of(suspicions={"giant": 0.5}))[2] == pytest.approx(
        0.05 + 0.95 / 2
    )


def test_an_arm_doubted_by_the_detector_is_judged_more_and_tried_again_until_it_is_found_changed_or_not():
    terms = terms_of(0.8)
    known = seen("tiny", 2 * observations_to_settle(terms), 0.78)
    doubted = replace(known, drift_down=(DOUBTED_NATS + THRESHOLD) / 2)
    assert audit_rates(ARMS, {"tiny": known}, terms)[0] == pytest.approx(0.05)
    assert audit_rates(ARMS, {"tiny": doubted}, terms)[0] == pytest.approx(0.05 + 0.95 / 2)
    assert trial_rates(ARMS, {"tiny": known}, terms)[0] == 0.0
    assert trial_rates(ARMS, {"tiny": doubted}, terms)[0] == TRIAL_RATE


def test_audits_can_be_switched_off_and_need_a_judge():
    assert audit_rates(ARMS, {}, terms_of(audit_rate=0.0)) == (0.0,) * 3
    assert audit_rates(ARMS, {}, terms_of(audit_rate=0.5, table=None)) == (0.0,) * 3


def test_a_bar_is_settled_by_more_answers_the_worse_the_judge_and_audits_go_on_till_then():
    settled = observations_to_settle(terms_of(0.8))
    assert settled == pytest.approx(DEFAULT_TABLE.weight_variance(0.8) / SETTLED_ERROR**2)
    assert observations_to_settle(terms_of(0.8, table=EXACT)) < 0.5 * settled
    assert (
        observations_to_settle(terms_of()) == observations_to_settle(terms_of(0.8, strategy="classic")) == 0.0
    )
    half = {"giant": seen("giant", settled / 2, 0.9)}
    assert audit_rates(ARMS, half, terms_of(0.8))[2] == pytest.approx(0.05 + 0.95 / 2)
    assert audit_rates(ARMS, {"giant": seen("giant", settled, 0.9)}, terms_of(0.8))[2] == pytest.approx(0.05)
    # A judge twice as dear as the arm is asked half as often: settling doubles no bill.
    assert audit_rates(ARMS, half, terms_of(0.8, judge_cost=2.0))[2] == pytest.approx(0.05 + 0.95 / 4)


def test_under_a_bar_a_cheaper_arm_is_tried_while_it_may_meet_it_and_nobody_knows():
    settled = observations_to_settle(terms_of(0.8))
    cases = {
        "unknown and predicted near the bar": ({}, TRIAL_RATE),
        "unlucky so far": ({"tiny": seen("tiny", 12, 0.55)}, TRIAL_RATE),
        "poor beyond doubt": ({"tiny": seen("tiny", 60, 0.3)}, 0.0),
        "settled above": ({"tiny": seen("tiny", settled, 0.95)}, 0.0),
    }
    for name, (evidence, rate) in cases.items():
        assert trial_rates(ARMS, evidence, terms_of(0.8))[0] == rate, name
    for terms in (terms_of(), terms_of(0.8, epsilon=0.0), terms_of(0.8, table=None)):
        assert trial_rates(ARMS, {}, terms) == ()
    hopeless = [replace(one, completion_prob=0.3) for one in ARMS]
    assert trial_rates(hopeless, {}, terms_of(0.8)) == (0.0,) * 3


def test_trials_go_to_cheaper_tiers_only_and_leave_propensities_that_sum_to_one():
    chance = Chance(0.03, (0.05,) * 3, can_judge=True, trial_rates=(TRIAL_RATE, TRIAL_RATE, TRIAL_RATE))
    ladder, actions = ladder_of(3), actions_to(1, 1, 2)
    exploring = chance.exploration(ladder, actions)
    assert exploring[0].tolist() == pytest.approx([TRIAL_RATE, 0.0, exploring[0, 2]])
    assert exploring[0, 2] < 0.01
    assert exploring[2].tolist() == pytest.approx([TRIAL_RATE, TRIAL_RATE, 0.0])
    propensities = [chance.propensity(ladder, actions, column, column, exploring)[0] for column in range(3)]
    assert sum(propensities) == pytest.approx(1.0)
    assert propensities[0] == pytest.approx(TRIAL_RATE)


def test_what_follows_from_a_calls_own_draws_has_propensity_one():
    assert certain(ARMS).propensity(ladder_of(1), actions_to(1, judge=True), 1, 1) == (1.0, 1.0)
