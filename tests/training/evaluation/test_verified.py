from dataclasses import fields, replace

import numpy as np
import pytest

from x25.routing.answer.verifier_evidence import FLAT_TABLE
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.judge_worth import tables_after_verifier
from x25.training.evaluation.cascade import Problem, run_cascade
from x25.training.evaluation.verified import AssessedProblem, Assessments, run_verified, verifier_tables_of

CHEAP, MID, FRONTIER = 0, 1, 2
WORST, BEST = 0, 4
SURE = JudgeTable(
    "sure", DEFAULT_TABLE.edges, (0.001, 0.001, 0.001, 0.001, 0.996), (0.996, 0.001, 0.001, 0.001, 0.001)
)
FLAT = (FLAT_TABLE,) * 3
ALONE = verifier_tables_of([DEFAULT_TABLE] * 3, None)


def prices(quality_price=0.1):
    return PlanPrices(quality_price, latency_price=0.0, call_penalty=0.0, judge_penalty=0.0, judge_cost=0.01)


def assessed(problem, tables, bins, **given):
    known = {item.name: getattr(problem, item.name) for item in fields(Problem)}
    return AssessedProblem(**known, assessments=Assessments(tables, np.asarray(bins), **given))


def actions(outcome):
    return [outcome.first, outcome.tier, outcome.answers, outcome.judge_calls]


@pytest.fixture
def crowd(make_problem):
    """Return 300 prompts of all kinds."""
    rng = np.random.default_rng(12)
    return make_problem(
        np.sort(rng.random((300, 3)), axis=1),
        predicted_costs=np.array([0.1, 0.3, 1.0]) * rng.uniform(0.5, 2.0, (300, 3)),
        costs_usd=np.array([0.1, 0.3, 1.0]) * rng.uniform(0.5, 2.0, (300, 3)),
        scores=(rng.random((300, 3)) < 0.6).astype(float),
        bins=rng.integers(0, 5, (300, 3)),
    )


@pytest.mark.parametrize("is_foreseen", [True, False])
def test_assessments_that_say_nothing_make_it_the_plain_cascade(crowd, is_foreseen):
    tables = verifier_tables_of(FLAT, [(DEFAULT_TABLE,) * 5] * 3)
    problem = assessed(crowd, tables, np.zeros((300, 3), dtype=int), is_foreseen=is_foreseen)
    plain, seen = (
        run_cascade(crowd, DEFAULT_TABLE, prices(0.3)),
        run_verified(problem, DEFAULT_TABLE, prices(0.3)),
    )
    assert all(np.array_equal(one, two) for one, two in zip(actions(plain), actions(seen), strict=True))
    assert seen.cost_usd == pytest.approx(plain.cost_usd)
    assert seen.score.tolist() == plain.score.tolist()


def test_the_verifier_decides_alone_where_nobody_judges(make_problem):
    problem = make_problem([[0.7, 0.71, 0.97]] * 2, scores=[[0.11, 0.12, 0.13], [0.21, 0.22, 0.23]])
    outcome = run_verified(assessed(problem, ALONE, [[BEST] * 3, [WORST, WORST, BEST]]), None, prices(0.3))
    assert outcome.first.tolist() == [CHEAP, CHEAP]
    assert outcome.tier[0] == CHEAP
    assert outcome.tier[1] == FRONTIER
    assert outcome.judge_calls.tolist() == [0, 0]


def test_a_sure_verifier_saves_the_judgement_and_its_price(make_problem):
    problem = make_problem(
        [[0.7, 0.71, 0.97]] * 2, bins=[[BEST] * 3] * 2, judge_costs_usd=np.full((2, 3), 0.5)
    )
    # A verifier that finds a right answer almost surely right leaves a judge nothing to add; a middling one does.
    tables = verifier_tables_of([SURE] * 3, [tables_after_verifier(DEFAULT_TABLE, SURE, 0.0)] * 3)
    outcome = run_verified(
        assessed(problem, tables, [[BEST] * 3, [2, 2, 2]], is_foreseen=False), DEFAULT_TABLE, prices(0.3)
    )
    assert outcome.judge_calls.tolist() == [0, 1]
    assert outcome.cost_usd[1] == pytest.approx(outcome.cost_usd[0] + 0.5)


def test_the_better_of_two_answers_is_returned_by_the_pair_where_it_is_known(make_problem):
    problem = make_problem([[0.7, 0.9, 0.905]], predicted_costs=[[0.1, 0.2, 3.0]], scores=[[0.1, 0.2, 0.3]])
    bins = [[WORST, 2, BEST]]
    pairs = np.full((1, 3, 3), np.nan)
    pairs[0, CHEAP, MID], pairs[0, MID, CHEAP] = 0.95, 0.9
    alone = run_verified(assessed(problem, ALONE, bins), None, prices(0.1))
    beside = run_verified(assessed(problem, ALONE, bins, pairs=pairs), None, prices(0.1))
    assert [int(one.answers[0]) for one in (alone, beside)] == [2, 2]
    assert [int(one.tier[0]) for one in (alone, beside)] == [MID, CHEAP]


def test_decisions_see_expected_costs_and_bills_the_real_ones(crowd):
    rng = np.random.default_rng(3)
    problem = assessed(crowd, ALONE, rng.integers(0, 5, (300, 3)))
    dear = replace(problem, costs_usd=problem.costs_usd * 7.0)
    one, other = (run_verified(each, None, prices(0.3)) for each in (problem, dear))
    assert all(np.array_equal(a, b) for a, b in zip(actions(one), actions(other), strict=True))
    assert other.cost_usd == pytest.approx(7.0 * one.cost_usd)
    assert (one.answers >= 1).all()
    assert (one.answers <= 3).all()
    assert (run_verified(problem, None, prices(0.3), max_escalations=0).answers == 1).all()
