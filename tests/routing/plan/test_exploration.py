import numpy as np
import pytest

from x25.routing.plan.cascade import PlanPrices, PlanResult
from x25.routing.plan.exploration import (
    COLD_WEIGHT,
    EXPLORATION_BUDGET,
    LEAST_EXPLORATION,
    Chance,
    audit_rates,
    certain,
)
from x25.routing.plan.ladder import climb
from x25.state.records import Arm, Evidence


def arm(model_id, tier, cost):
    return Arm(model_id, "acme", tier, cost, 10.0, 0.7, 0.1, 0.4, 100_000, 4_096)


ARMS = [arm("tiny", "slm", 1), arm("middle", "mid", 10), arm("giant", "frontier", 100)]


def ladder_of(draws: int):
    return climb(ARMS, np.full((draws, 3), 0.7), PlanPrices(0.0, 0.0, 0.0), (1, 1))


def actions_to(*columns: int, judge: bool = False) -> PlanResult:
    return PlanResult(np.array(columns), np.full(len(columns), judge), np.zeros(len(columns)))


def test_a_cheap_plan_is_explored_less_and_never_not_at_all():
    chance = Chance(epsilon=0.03, audit_rates=(0.0,) * 3, can_judge=True)
    cheap, middle, dear = chance.exploration(ladder_of(3), actions_to(0, 1, 2)).sum(axis=1)
    mean = 37.0
    assert cheap == pytest.approx(max(EXPLORATION_BUDGET * 1 / mean, LEAST_EXPLORATION * 0.03))
    # A cheaper tier costs nothing to try, so it has its third of epsilon; the others share the budget.
    assert middle == pytest.approx(0.01 + 2 / 3 * EXPLORATION_BUDGET * 10 / mean)
    assert dear == pytest.approx(0.03)
    assert 0 < cheap < middle < dear


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


def test_cold_arms_are_always_audited_and_warm_ones_at_the_rate():
    evidence = {
        "middle": Evidence("middle", "code", "mid", weight=COLD_WEIGHT / 2),
        "giant": Evidence("giant", "code", "frontier", weight=10 * COLD_WEIGHT),
    }
    assert audit_rates(ARMS, evidence, 0.05, can_judge=True) == pytest.approx((1.0, 0.525, 0.05))


def test_audits_can_be_switched_off_and_need_a_judge():
    assert audit_rates(ARMS, {}, 0.0, can_judge=True) == (0.0,) * 3
    assert audit_rates(ARMS, {}, 0.5, can_judge=False) == (0.0,) * 3


def test_what_follows_from_a_calls_own_draws_has_propensity_one():
    assert certain(ARMS).propensity(ladder_of(1), actions_to(1, judge=True), 1, 1) == (1.0, 1.0)
