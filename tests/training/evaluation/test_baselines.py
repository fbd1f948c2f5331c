from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.training.evaluation.baselines import (
    CLASSIC_BAR,
    COMPLETION_THRESHOLD,
    FALLBACK_MARGIN,
    baselines,
    cheapest_right,
    picked,
    threshold_rule,
    x25_classic,
)
from x25.training.evaluation.judged import PanelJudge, problem_of, train_costs

WORST, BEST = 0, 4


@pytest.fixture
def made_fit(panel, make_side, fitted):
    """Return a fit whose sides are told by hand: two datasets, each with a tier of its own."""

    def make(train, test):
        return replace(fitted[0], train=train, test=test)

    return make


def test_a_pick_is_scored_and_billed_for_the_tiers_picked(make_side):
    side = make_side([[0.1, 0.2, 0.9], [0.3, 0.4, 0.7]], [[1.0, 2.0, 10.0], [1.0, 4.0, 30.0]])
    found = picked(side, np.array([0, 1]))
    assert found["score"] == pytest.approx(0.25)
    assert found["cost_usd_per_call"] == pytest.approx(2.5)
    assert found["score_delta_points"] == pytest.approx(-55.0)
    assert found["cut"] == pytest.approx(1.0 - 2.5 / 20.0)


def by_hand(probs, costs):
    clear = [tier for tier in range(3) if probs[tier] >= COMPLETION_THRESHOLD]
    near = [tier for tier in range(3) if probs[tier] >= max(probs) - FALLBACK_MARGIN]
    return min(clear or near, key=lambda tier: costs[tier])


def test_the_threshold_rule_is_what_one_would_pick_by_hand():
    probs = np.array(list(product([0.1, 0.55, 0.58, 0.69, 0.7, 0.95], repeat=3)))
    costs = np.random.default_rng(0).permuted(np.tile([1.0, 2.0, 4.0], (len(probs), 1)), axis=1)
    expected = [by_hand(row, cost) for row, cost in zip(probs, costs, strict=True)]
    assert threshold_rule(probs, costs).tolist() == expected
    assert set(expected) == {0, 1, 2}


def test_the_oracle_asks_the_cheapest_that_is_right(make_side):
    scores = [list(map(float, right)) for right in product([0, 1], repeat=3)]
    costs = np.tile([2.0, 1.0, 3.0], (8, 1))
    expected = [
        min((tier for tier in range(3) if right[tier]), key=lambda tier: costs[0, tier], default=1)
        for right in scores
    ]
    assert cheapest_right(make_side(scores, costs)).tolist() == expected


def test_no_single_tier_is_better_than_the_oracle(fitted):
    side = fitted[0].test
    oracle = picked(side, cheapest_right(side))
    for tier in range(3):
        always = picked(side, np.full(len(side), tier))
        assert oracle["score"] >= always["score"]
    assert oracle["cost_usd_per_call"] < always["cost_usd_per_call"]


def figures(fit, seed=0):
    judge = PanelJudge(0.85)
    problem = problem_of(
        fit.test, judge, DEFAULT_TABLE, train_costs(judge, fit.train), np.random.default_rng(seed)
    )
    return baselines(fit, fit.test.completion_probs, problem, DEFAULT_TABLE, np.random.default_rng(seed))


def test_every_baseline_has_a_score_and_a_cost(fitted):
    found = figures(fitted[0])
    assert set(found) == {
        "always_slm", "always_mid", "always_frontier", "random", "best_single", "best_single_within_budget",
        "per_dataset_best_match", "per_dataset_best_budget", "xrouter_classic", "x25_classic", "oracle",
    }  # fmt: skip
    for row in found.values():
        assert 0.0 <= row["score"] <= 1.0
        assert row["cost_usd_per_call"] > 0.0
    frontier = found["always_frontier"]
    assert (frontier["score_delta_points"], frontier["cut"], frontier["model"]) == (0.0, 0.0, "f")
    assert found["random"]["score"] == pytest.approx(fitted[0].test.scores.mean())


def test_single_models_are_chosen_on_train(made_fit, make_side):
    # On train the middle tier is best and the frontier is not; on test it is the other way round.
    costs = np.tile([1.0, 3.0, 4.0], (4, 1))
    train = make_side(np.tile([0.5, 0.9, 0.8], (4, 1)), costs)
    test = make_side(np.tile([0.6, 0.2, 1.0], (4, 1)), costs)
    found = figures(made_fit(train, test))
    assert found["best_single"]["model"] == "m"
    assert found["best_single"]["score"] == pytest.approx(0.2)
    # Half of the frontier's cost: the small one alone is affordable.
    assert found["best_single_within_budget"]["model"] == "s"
    assert found["best_single"]["chosen_on"] == "train"


def test_the_best_of_each_dataset_is_chosen_on_train(made_fit, make_side):
    datasets = ["sums"] * 2 + ["proofs"] * 2
    costs = np.tile([1.0, 3.0, 10.0], (4, 1))
    train = make_side([[1.0, 1.0, 1.0]] * 2 + [[0.0, 0.5, 1.0]] * 2, costs, datasets=datasets)
    scores = [[0.3, 0.2, 0.1], [0.3, 0.2, 0.1], [0.4, 0.5, 0.6], [0.4, 0.5, 0.6]]
    test = make_side(scores, costs, datasets=datasets)
    found = figures(made_fit(train, test))
    # The frontier's train score at the least cost: sums to the small model, proofs to the large one.
    assert found["per_dataset_best_match"]["score"] == pytest.approx((0.3 + 0.6) / 2)
    assert found["per_dataset_best_match"]["cost_usd_per_call"] == pytest.approx(5.5)
    # At half of the frontier's cost the large one is out of reach: proofs go to the middle one.
    assert found["per_dataset_best_budget"]["score"] == pytest.approx((0.3 + 0.5) / 2)


def test_a_dataset_nobody_saw_is_answered_by_the_best_overall(made_fit, make_side):
    costs = np.tile([1.0, 3.0, 10.0], (2, 1))
    train = make_side([[0.2, 0.9, 0.9]] * 2, costs, datasets=["sums"] * 2)
    test = make_side([[0.0, 1.0, 0.0]] * 2, costs, datasets=["sums", "unseen"])
    assert figures(made_fit(train, test))["per_dataset_best_match"]["score"] == pytest.approx(1.0)


def test_the_classic_rule_climbs_one_tier_at_a_time_while_the_score_is_below_the_bar(make_problem):
    count = 300
    problem = make_problem(
        np.full((count, 3), 0.5),
        bins=np.tile([WORST, WORST, BEST], (count, 1)),
        scores=np.tile([0.1, 0.2, 0.9], (count, 1)),
    )
    outcome = x25_classic(problem, DEFAULT_TABLE, np.random.default_rng(0))
    assert outcome.tier.tolist() == [2] * count
    assert outcome.score == pytest.approx(0.9)
    assert outcome.answers.tolist() == (3 - outcome.first).tolist()
    assert np.array_equal(outcome.judge_calls, outcome.answers)
    paid = np.array([1.4, 1.3, 1.0])[outcome.first] + 0.01 * outcome.answers
    assert outcome.cost_usd == pytest.approx(paid)
    # It learns who is liked: the frontier is asked first ever more often.
    assert (outcome.first[:20] != 2).any()
    assert (outcome.first[-100:] == 2).mean() > 0.9


def test_the_classic_rule_stops_at_the_bar_and_returns_the_answer_that_scored_best(make_problem):
    right, wrong = np.array(DEFAULT_TABLE.right), np.array(DEFAULT_TABLE.wrong)
    reward = right / (right + wrong)
    enough = int((reward >= CLASSIC_BAR).argmax())
    liked = make_problem(np.full((50, 3), 0.5), bins=np.full((50, 3), enough))
    assert x25_classic(liked, DEFAULT_TABLE, np.random.default_rng(0)).answers.max() == 1
    disliked = make_problem(np.full((50, 3), 0.5), bins=np.tile([enough - 1, WORST, WORST], (50, 1)))
    outcome = x25_classic(disliked, DEFAULT_TABLE, np.random.default_rng(0))
    assert (outcome.first == 0).any()
    assert outcome.tier.tolist() == outcome.first.tolist()
    assert outcome.answers.tolist() == (3 - outcome.first).tolist()
