import math

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.plan.cascade import STOP, PlanPrices, plan


def slow_value(best_so_far, first, row, *, table, prices, answers_left):
    """Return (value, arm, judged) by plain recursion over one draw; the equation, written out."""
    thetas, costs, latencies = row
    scale = 1.0 if prices.quality_bar is None else min(1.0, 0.02 / prices.quality_price)
    best = (-math.inf if best_so_far is None else bar(best_so_far, prices), STOP, False)
    if answers_left == 0:
        return best
    for j in range(first, len(thetas)):
        theta, price = thetas[j], prices.quality_price * costs[j] + prices.latency_price * latencies[j]
        price = scale * (price + prices.call_penalty)
        best = max(
            best,
            (bar(theta if best_so_far is None else max(best_so_far, theta), prices) - price, j, False),
            key=first_of,
        )
        if table is None:
            continue
        value = -price - scale * (prices.judge_penalty + prices.quality_price * prices.judge_cost)
        for right, wrong in zip(table.right, table.wrong, strict=True):
            chance = theta * right + (1 - theta) * wrong
            quality = theta * right / chance
            kept = quality if best_so_far is None else max(best_so_far, quality)
            value += (
                chance
                * slow_value(kept, j + 1, row, table=table, prices=prices, answers_left=answers_left - 1)[0]
            )
        best = max(best, (value, j, True), key=first_of)
    return best


def first_of(move):
    return move[0]


def bar(quality, prices):
    return quality if prices.quality_bar is None else min(quality, prices.quality_bar)


def random_problem(rng, rows, tiers):
    return (
        rng.uniform(0.02, 0.98, (rows, tiers)),
        rng.uniform(0, 1.5, (rows, tiers)),
        rng.uniform(0, 1.5, (rows, tiers)),
    )


@pytest.mark.parametrize("tiers", [1, 2, 3])
@pytest.mark.parametrize("table", [None, DEFAULT_TABLE], ids=["no judge", "judge"])
@pytest.mark.parametrize("quality_bar", [None, 0.8])
@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize("max_answers", [1, 2, 3])
def test_the_plan_equals_plain_recursion(tiers, table, quality_bar, holds, max_answers):
    rng = np.random.default_rng(tiers * 100 + max_answers)
    thetas, costs, latencies = random_problem(rng, 5, tiers)
    best_so_far = rng.uniform(0, 1, 5) if holds else None
    prices = PlanPrices(quality_price=rng.uniform(0.01, 0.4), latency_price=0.05, quality_bar=quality_bar)
    result = plan(thetas, costs, latencies, best_so_far, table, prices, max_answers=max_answers)
    for d in range(5):
        row = (thetas[d], costs[d], latencies[d])
        value, arm, judged = slow_value(
            best_so_far[d] if holds else None, 0, row, table=table, prices=prices, answers_left=max_answers
        )
        assert result.value[d] == pytest.approx(value, abs=1e-9)
        assert (result.arm[d], result.judge[d]) == (arm, judged)


def test_one_row_of_costs_serves_all_draws():
    thetas, costs, latencies = random_problem(np.random.default_rng(3), 4, 3)
    shared = plan(thetas, costs[0], latencies[0], None, DEFAULT_TABLE, PlanPrices())
    spelled = plan(thetas, [costs[0]] * 4, [latencies[0]] * 4, None, DEFAULT_TABLE, PlanPrices())
    assert (shared.value == spelled.value).all()


def test_a_good_answer_held_ends_the_plan():
    result = plan([[0.5, 0.9]], [0.1, 1.0], [0.1, 1.0], [0.97], DEFAULT_TABLE, PlanPrices())
    assert result.arm[0] == STOP
    assert result.value[0] == pytest.approx(0.97)


def test_a_bad_answer_held_calls_for_another():
    assert plan([[0.9]], [1.0], [1.0], [0.1], DEFAULT_TABLE, PlanPrices()).arm[0] == 0


def test_nothing_held_and_nothing_to_ask_is_an_error():
    with pytest.raises(ValueError, match="at least one tier or an answer held, got neither"):
        plan(np.empty((1, 0)), [], [], None, None, PlanPrices())


def test_dearer_quality_moves_traffic_down_the_ladder():
    thetas, costs = [[0.6, 0.75, 0.85]], [0.05, 0.3, 1.0]
    arms = [
        plan(thetas, costs, costs, None, None, PlanPrices(quality_price=price, latency_price=0.0)).arm[0]
        for price in (0.01, 0.2, 0.9)
    ]
    assert arms == [2, 1, 0]


def test_under_a_bar_the_cheapest_arm_that_meets_it_is_asked():
    prices = PlanPrices(quality_price=0.5, latency_price=0.0, quality_bar=0.7)
    assert prices.scale * prices.quality_price == pytest.approx(0.02)
    assert plan([[0.5, 0.72, 0.95]], [0.05, 0.3, 1.0], [0, 0, 0], None, None, prices).arm[0] == 1


def test_a_judge_is_worth_asking_when_the_cheap_arm_is_uncertain():
    result = plan([[0.6, 0.9]], [0.02, 1.0], [0.1, 1.0], None, DEFAULT_TABLE, PlanPrices())
    assert (result.arm[0], bool(result.judge[0])) == (0, True)
