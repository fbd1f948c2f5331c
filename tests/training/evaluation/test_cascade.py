from dataclasses import fields, replace

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, LEAST_AUC, JudgeTable
from x25.routing.plan.cascade import PlanPrices
from x25.training.evaluation.cascade import run_cascade

CHEAP, MID, FRONTIER = 0, 1, 2
WORST, BEST = 0, 4
SURE = JudgeTable(
    "sure", DEFAULT_TABLE.edges, (0.001, 0.001, 0.001, 0.001, 0.996), (0.996, 0.001, 0.001, 0.001, 0.001)
)
WEAK = JudgeTable("weak", DEFAULT_TABLE.edges, (0.12, 0.16, 0.2, 0.24, 0.28), (0.24, 0.24, 0.2, 0.16, 0.16))


def prices(quality_price=0.1):
    return PlanPrices(quality_price, latency_price=0.0, call_penalty=0.0, judge_penalty=0.0, judge_cost=0.01)


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


def actions(outcome):
    return [outcome.first, outcome.tier, outcome.answers, outcome.judge_calls]


def test_without_a_table_one_answer_is_bought_and_none_judged(make_problem):
    # .5 - .01, .7 - .03 and .9 - .1: the frontier; at twice the price .48, .64 and .70, at four times .46, .58, .5.
    problem = make_problem([[0.5, 0.7, 0.9]], scores=[[0.1, 0.2, 0.3]])
    for price, tier in ((0.1, FRONTIER), (0.2, FRONTIER), (0.4, MID), (3.0, CHEAP)):
        outcome = run_cascade(problem, None, prices(price))
        assert [int(one[0]) for one in actions(outcome)] == [tier, tier, 1, 0]
        assert outcome.score[0] == problem.scores[0, tier]
        assert outcome.cost_usd[0] == problem.costs_usd[0, tier]


def test_a_weak_judge_is_not_asked(crowd):
    # Its scores say something and cost nothing; what they say is not trusted.
    assert 0.55 < WEAK.auc < LEAST_AUC
    free = replace(prices(0.3), judge_cost=0.0)
    weak, alone = run_cascade(crowd, WEAK, free), run_cascade(crowd, None, free)
    assert all(np.array_equal(one, two) for one, two in zip(actions(weak), actions(alone), strict=True))
    assert run_cascade(crowd, DEFAULT_TABLE, free).judge_calls.max() > 0


def test_a_good_verdict_ends_the_cascade_and_a_bad_one_climbs(make_problem):
    # A sure judge makes asking the cheap one first worth its price; the frontier is surely right.
    problem = make_problem(
        [[0.6, 0.6, 0.99]] * 2,
        bins=[[BEST, WORST, BEST], [WORST, WORST, BEST]],
        scores=[[0.11, 0.12, 0.13], [0.21, 0.22, 0.23]],
    )
    outcome = run_cascade(problem, SURE, prices(0.4))
    assert outcome.first.tolist() == [CHEAP, CHEAP]
    assert outcome.tier.tolist() == [CHEAP, FRONTIER]
    assert outcome.answers.tolist()[0] == 1
    assert outcome.judge_calls.tolist()[0] == 1
    assert outcome.score.tolist() == [0.11, 0.23]
    assert outcome.cost_usd[0] == pytest.approx(0.1 + 0.01)


def test_costs_count_every_answer_and_every_judgement(make_problem):
    # The middle tier is too dear to be of use: the cheap answer is judged, the frontier's is not.
    problem = make_problem(
        [[0.6, 0.61, 0.99]],
        bins=[[WORST, WORST, WORST]],
        predicted_costs=[[0.1, 0.9, 1.0]],
        costs_usd=[[1.0, 10.0, 100.0]],
        judge_costs_usd=[[0.001, 0.01, 0.1]],
    )
    outcome = run_cascade(problem, SURE, prices(0.4))
    assert [int(one[0]) for one in actions(outcome)] == [CHEAP, FRONTIER, 2, 1]
    assert outcome.cost_usd[0] == pytest.approx(1.0 + 0.001 + 100.0)


def test_the_answer_believed_best_is_returned_not_the_last(make_problem):
    # The judge dislikes the cheap and, worse, the dear answer: .4 x .52/.08 on its odds leaves .093 of .4.
    table = DEFAULT_TABLE
    problem = make_problem([[0.4, 0.3, 0.35]], bins=[[1, WORST, WORST]], predicted_costs=[[0.1, 0.11, 0.12]])
    cheapest = replace(prices(0.001), judge_cost=0.0)
    outcome = run_cascade(problem, table, cheapest)
    posteriors = [table.posterior(theta, score_bin) for theta, score_bin in ((0.4, 1), (0.3, 0), (0.35, 0))]
    assert posteriors[0] > max(posteriors[1:])
    assert outcome.answers.tolist() == [3]
    assert outcome.judge_calls[0] >= 2
    assert outcome.tier.tolist() == [CHEAP]


def test_no_more_escalations_than_allowed(crowd):
    eager = replace(prices(0.0), judge_cost=0.0)
    for most in (0, 1, 2):
        answers = run_cascade(crowd, SURE, eager, max_escalations=most).answers
        assert answers.max() == most + 1


def test_the_last_answer_allowed_is_chosen_as_the_last(make_problem):
    # After a bad cheap answer: .6 + .4 x .59 - .124 for the middle one judged and then the frontier, .59 for the
    # frontier at once, .48 for the middle one alone.
    problem = make_problem([[0.5, 0.6, 0.99]], bins=[[WORST, WORST, BEST]])
    for most, tiers in ((2, [CHEAP, MID, FRONTIER]), (1, [CHEAP, FRONTIER])):
        outcome = run_cascade(problem, SURE, prices(0.4), max_escalations=most)
        assert outcome.answers.tolist() == [len(tiers)]
        assert outcome.tier.tolist() == [FRONTIER]
        assert outcome.cost_usd[0] >= problem.costs_usd[0, tiers].sum()


def test_a_huge_price_of_money_buys_the_cheapest_answer_and_nothing_more(crowd):
    outcome = run_cascade(crowd, SURE, prices(1e6))
    assert outcome.tier.tolist() == crowd.predicted_costs.argmin(axis=1).tolist()
    assert outcome.answers.max() == 1
    assert outcome.judge_calls.max() == 0


def test_the_readier_to_pay_the_more_is_spent(crowd):
    spent = [run_cascade(crowd, DEFAULT_TABLE, prices(price)).cost_usd.mean() for price in (0.01, 0.3, 3.0)]
    assert spent == sorted(spent, reverse=True)
    assert spent[0] > 1.5 * spent[2]


def test_each_prompt_is_decided_on_its_own(crowd):
    whole = run_cascade(crowd, DEFAULT_TABLE, prices())
    for row in (0, 7, 299):
        arrays = [item.name for item in fields(crowd) if item.name not in ("judge_cost", "checked")]
        alone = replace(crowd, **{name: getattr(crowd, name)[[row]] for name in arrays})
        outcome = run_cascade(alone, DEFAULT_TABLE, prices())
        assert [one[0] for one in actions(outcome)] == [one[row] for one in actions(whole)]
        assert outcome.cost_usd[0] == pytest.approx(whole.cost_usd[row])


@pytest.mark.parametrize("hidden", ["costs_usd", "judge_costs_usd", "scores"])
@pytest.mark.parametrize("table", [DEFAULT_TABLE, None])
def test_what_is_known_only_afterwards_changes_no_decision(crowd, hidden, table):
    rng = np.random.default_rng(0)
    other = replace(crowd, **{hidden: rng.permutation(getattr(crowd, hidden).ravel()).reshape(-1, 3) + 5.0})
    before, after = (run_cascade(problem, table, prices()) for problem in (crowd, other))
    assert all(np.array_equal(one, two) for one, two in zip(actions(before), actions(after), strict=True))
    if hidden == "scores":
        assert np.array_equal(before.cost_usd, after.cost_usd)
        assert not np.array_equal(before.score, after.score)
    elif table is not None or hidden == "costs_usd":
        assert np.array_equal(before.score, after.score)
        assert not np.array_equal(before.cost_usd, after.cost_usd)


def test_what_is_predicted_does_change_decisions(crowd):
    dearer = replace(crowd, predicted_costs=crowd.predicted_costs[:, ::-1])
    before, after = (run_cascade(problem, DEFAULT_TABLE, prices(0.5)) for problem in (crowd, dearer))
    assert (before.first != after.first).mean() > 0.3


def test_only_judged_answers_are_told_by_their_bin(crowd):
    free = replace(crowd, bins=(crowd.bins + 1) % 5)
    before, after = (run_cascade(problem, DEFAULT_TABLE, prices(0.3)) for problem in (crowd, free))
    assert np.array_equal(before.first, after.first)  # nothing is seen before the first answer
    unjudged = before.judge_calls == 0
    assert unjudged.any()
    assert np.array_equal(before.tier[unjudged], after.tier[unjudged])
    assert (before.tier != after.tier).any()
