import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.training.evaluation.cascade import Outcome, run_cascade
from x25.training.evaluation.points import (
    QUALITY_PRICES,
    Curve,
    budget_point,
    match_point,
    plan_prices,
    policy_of,
    trace,
)

# The same score can be had at two prices, the dearer one later.
CURVE = Curve(
    prices=np.array([0.01, 0.02, 0.1, 0.3, 1.0]),
    score=np.array([0.92, 0.91, 0.905, 0.85, 0.70]),
    cost_usd=np.array([10.0, 6.0, 7.0, 3.0, 1.0]),
)


def test_prices_rise_and_span_three_orders():
    assert list(QUALITY_PRICES) == sorted(set(QUALITY_PRICES))
    assert QUALITY_PRICES[-1] / QUALITY_PRICES[0] > 1_000


def test_match_takes_the_cheapest_above_the_margin():
    point = match_point(CURVE, 0.90, 0.0)
    assert (point.quality_price, point.train_score, point.train_cost_usd) == (0.02, 0.91, 6.0)
    assert point.is_reached
    assert point.name == "match"
    assert match_point(CURVE, 0.90, 2.0).quality_price == 0.01
    assert match_point(CURVE, 0.90, -5.0).quality_price == 0.3


def test_match_that_nothing_reaches_takes_the_best_score_and_says_so():
    point = match_point(CURVE, 0.95, 1.0)
    assert (point.quality_price, point.train_score, point.is_reached) == (0.01, 0.92, False)
    # The best score, wherever it stands and whatever it costs.
    bent = Curve(CURVE.prices, np.array([0.7, 0.8, 0.9, 0.85, 0.6]), CURVE.cost_usd)
    assert match_point(bent, 0.95, 1.0).quality_price == 0.1


def test_budget_takes_the_best_score_within_it():
    point = budget_point(CURVE, 6.5)
    assert (point.quality_price, point.train_score, point.is_reached) == (0.02, 0.91, True)
    # Money alone does not help: the price of 7 scores less than that of 6.
    assert budget_point(CURVE, 7.5).quality_price == 0.02
    assert budget_point(CURVE, 3.0).quality_price == 0.3


def test_budget_that_nothing_meets_takes_the_cheapest_and_says_so():
    point = budget_point(CURVE, 0.5, "thrifty")
    assert (point.name, point.quality_price, point.is_reached) == ("thrifty", 1.0, False)


def test_a_curve_averages_score_and_cost_over_problems(make_problem):
    def policy(problem, price):
        rows = np.zeros(2, dtype=np.int64)
        return Outcome(problem.scores[:, 0], problem.costs_usd[:, 0] * price, rows, rows, rows, rows)

    problems = [
        make_problem(np.ones((2, 3)), scores=np.full((2, 3), score), costs_usd=np.full((2, 3), cost))
        for score, cost in ((0.2, 1.0), (0.6, 3.0))
    ]
    steps = []
    curve = trace(problems, policy, (1.0, 10.0), lambda: steps.append(1))
    assert curve.prices.tolist() == [1.0, 10.0]
    assert curve.score == pytest.approx([0.4, 0.4])
    assert curve.cost_usd == pytest.approx([2.0, 20.0])
    assert len(steps) == 2


def test_a_policy_is_the_cascade_at_a_price_and_time_costs_nothing(make_problem):
    rng = np.random.default_rng(0)
    problem = make_problem(
        np.sort(rng.random((100, 3)), axis=1), bins=rng.integers(0, 5, (100, 3)), judge_cost=0.02
    )
    prices = plan_prices(0.3, problem)
    assert (prices.quality_price, prices.latency_price, prices.judge_cost) == (0.3, 0.0, 0.02)
    for table in (DEFAULT_TABLE, None):
        outcome, expected = policy_of(table)(problem, 0.3), run_cascade(problem, table, prices)
        assert np.array_equal(outcome.tier, expected.tier)
        assert np.array_equal(outcome.cost_usd, expected.cost_usd)
    assert policy_of(None)(problem, 0.3).judge_calls.max() == 0


def test_a_curve_of_a_real_policy_trades_score_for_cost(make_problem):
    rng = np.random.default_rng(1)
    thetas = np.sort(rng.random((400, 3)), axis=1)
    problem = make_problem(thetas, scores=thetas)
    curve = trace([problem], policy_of(None), QUALITY_PRICES[::6])
    assert (np.diff(curve.cost_usd) <= 1e-12).all()
    assert (np.diff(curve.score) <= 1e-12).all()
    assert curve.score[0] > curve.score[-1] + 0.2
