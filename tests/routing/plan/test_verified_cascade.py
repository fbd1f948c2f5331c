import numpy as np
import pytest

from x25.routing.answer.verifier_evidence import FLAT_TABLE
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.plan.cascade import STOP, PlanPrices, plan
from x25.routing.plan.verified_cascade import plan_with_verifiers

PRICES = PlanPrices(0.3, latency_price=0.02, call_penalty=0.003, judge_penalty=0.001, judge_cost=0.05)
COSTS, LATENCIES = np.array([0.1, 0.3, 1.0]), np.array([0.3, 0.5, 1.0])
VERIFIER = JudgeTable(
    "verifier", DEFAULT_TABLE.edges, (0.08, 0.12, 0.2, 0.25, 0.35), (0.35, 0.25, 0.2, 0.12, 0.08)
)
VERIFIERS = [VERIFIER, DEFAULT_TABLE, FLAT_TABLE]
WEAK = JudgeTable("weak", DEFAULT_TABLE.edges, (0.1, 0.15, 0.2, 0.25, 0.3), (0.3, 0.25, 0.2, 0.15, 0.1))
AFTER = (DEFAULT_TABLE, WEAK, DEFAULT_TABLE, WEAK, WEAK)


def verifiers(tables, after=()):
    return [(table, after) for table in tables]


def bins(theta, table):
    for right, wrong in zip(table.right, table.wrong, strict=True):
        chance = theta * right + (1.0 - theta) * wrong
        yield chance, theta * right / chance


def value(best_so_far, thetas, first, judged, prices, answers_left):
    """The equation of the module, one row, without any short cut."""
    best = best_so_far
    for j in range(first, len(thetas) if answers_left else first):

        def after(belief, j=j):
            return value(max(best_so_far, belief), thetas, j + 1, judged, prices, answers_left - 1)

        gained = -float(prices.step_price(COSTS[j], LATENCIES[j]))
        for seen, (chance, belief) in enumerate(bins(thetas[j], VERIFIERS[j])):
            options = [after(belief)]
            if judged:
                judged_value = sum(share * after(quality) for share, quality in bins(belief, judged[seen]))
                options.append(judged_value - prices.judge_price)
            gained += chance * max(options)
        best = max(best, gained)
    return best


@pytest.mark.parametrize("judged", [(), AFTER])
@pytest.mark.parametrize("max_answers", [1, 3])
def test_the_value_is_the_expectation_written_out(judged, max_answers):
    rng = np.random.default_rng(7)
    thetas, best_so_far = rng.random((4, 3)), rng.random(4)
    found = plan_with_verifiers(
        thetas, COSTS, LATENCIES, best_so_far, verifiers(VERIFIERS, judged), PRICES, max_answers=max_answers
    )
    for row in range(4):
        expected = value(best_so_far[row], list(thetas[row]), 0, judged, PRICES, max_answers)
        assert found.value[row] == pytest.approx(expected)


def test_verifiers_that_say_nothing_leave_the_plan_as_it_was():
    rng = np.random.default_rng(8)
    thetas, best_so_far = rng.random((200, 3)), rng.random(200)
    flat = verifiers([FLAT_TABLE] * 3, (DEFAULT_TABLE,) * 5)
    for start in (None, best_so_far):
        plain = plan(thetas, COSTS, LATENCIES, start, DEFAULT_TABLE, PRICES)
        verified = plan_with_verifiers(thetas, COSTS, LATENCIES, start, flat, PRICES)
        assert verified.arm.tolist() == plain.arm.tolist()
        assert verified.value == pytest.approx(plain.value)


def test_a_free_verifier_makes_starting_cheap_worth_it_without_any_judge():
    thetas, best_so_far = [[0.7, 0.8, 0.95]], None
    assert plan(thetas, COSTS, LATENCIES, best_so_far, None, PlanPrices(0.15)).arm[0] == 2
    assert (
        plan_with_verifiers(
            thetas, COSTS, LATENCIES, best_so_far, verifiers([DEFAULT_TABLE] * 3), PlanPrices(0.15)
        ).arm[0]
        == 0
    )


def test_a_good_answer_held_stops_and_no_answer_left_too():
    assert (
        plan_with_verifiers([[0.5] * 3], COSTS, LATENCIES, [0.99], verifiers(VERIFIERS), PRICES).arm[0]
        == STOP
    )
    assert (
        plan_with_verifiers(
            [[0.9] * 3], COSTS, LATENCIES, [0.1], verifiers(VERIFIERS), PRICES, max_answers=0
        ).arm[0]
        == STOP
    )


def test_a_plan_over_nothing_and_a_verifier_short_are_refused():
    with pytest.raises(ValueError, match="at least one tier"):
        plan_with_verifiers(np.empty((1, 0)), [], [], None, [], PRICES)
    with pytest.raises(ValueError, match="a verifier a column, got 1 for 3"):
        plan_with_verifiers([[0.5] * 3], COSTS, LATENCIES, None, verifiers([VERIFIER]), PRICES)
