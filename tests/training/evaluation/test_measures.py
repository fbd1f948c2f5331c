from dataclasses import replace

import numpy as np
import pytest

from x25.training.evaluation.cascade import Outcome
from x25.training.evaluation.measures import Result, by_task_type, static_mixture, summarise


def outcome(score, cost, tier, judged=0):
    tier = np.asarray(tier)
    calls = np.full(len(tier), judged)
    return Outcome(np.asarray(score, float), np.asarray(cost, float), calls, tier, tier, calls + 1)


def result(score, cost, tier=None):
    return Result.of([outcome(score, cost, np.zeros(len(score), dtype=int) if tier is None else tier)])


def test_a_result_is_the_mean_over_draws_of_each_prompt():
    found = Result.of([outcome([1, 0], [1, 3], [0, 2], 1), outcome([0, 0], [3, 5], [2, 2], 2)])
    assert found.score.tolist() == [0.5, 0.0]
    assert found.cost_usd.tolist() == [2.0, 4.0]
    assert found.tier_share == (0.25, 0.0, 0.75)
    assert found.judge_calls == 1.5
    assert found.score_by_draw == (0.5, 0.0)


@pytest.mark.parametrize(
    ("cost_usd", "best"),
    [
        (1.0, 0.5),  # the cheapest alone
        (2.0, 0.65),  # half of the calls to each of both lower ones
        (3.0, 0.8),
        (6.5, 0.85),  # half way between .8 and .9
        (10.0, 0.9),
        (99.0, 0.9),  # more money buys nothing
        (0.1, 0.5),  # cheaper than the cheapest: the nearest there is
    ],
)
def test_a_static_mixture_is_the_hull_of_the_tiers(make_side, cost_usd, best):
    side = make_side([[0.4, 0.7, 0.9], [0.6, 0.9, 0.9]], [[1.0, 2.0, 10.0], [1.0, 4.0, 10.0]])
    assert static_mixture(side.scores, side.costs_usd, cost_usd) == pytest.approx(best)


def test_a_tier_below_the_hull_is_not_part_of_a_mixture(make_side):
    # At cost 3 the middle tier scores .4, a lottery of both others .5 + 2/9 x .4.
    side = make_side([[0.5, 0.4, 0.9]], [[1.0, 3.0, 10.0]])
    assert static_mixture(side.scores, side.costs_usd, 3.0) == pytest.approx(0.5 + 0.4 * 2 / 9)
    # A dear tier that scores less than a cheap one is no reason to spend.
    scores, costs_usd = np.array([[0.5, 0.8, 0.6]]), np.array([[1.0, 3.0, 10.0]])
    assert static_mixture(scores, costs_usd, 10.0) == pytest.approx(0.8)


def test_no_lottery_of_two_columns_beats_the_best_one():
    rng = np.random.default_rng(0)
    scores, costs_usd = rng.uniform(size=(40, 4)), rng.uniform(0.001, 0.01, size=(40, 4))
    score, cost = scores.mean(axis=0), costs_usd.mean(axis=0)
    bill = float(np.median(cost))
    found = static_mixture(scores, costs_usd, bill)
    for share in np.linspace(0, 1, 101):
        for first in range(4):
            for second in range(4):
                if share * cost[first] + (1 - share) * cost[second] <= bill:
                    assert share * score[first] + (1 - share) * score[second] <= found + 1e-12


def test_figures_are_told_against_always_asking_the_frontier(make_side):
    side = make_side([[0.0, 1.0, 1.0]] * 3 + [[0.0, 1.0, 0.0]], [[1.0, 2.0, 4.0]] * 3 + [[1.0, 2.0, 8.0]])
    found = summarise(
        result([1.0, 1.0, 0.0, 1.0], [2.0, 1.0, 1.0, 2.0], [1, 1, 0, 1]), side, np.random.default_rng(0)
    )
    assert found["score"] == pytest.approx(0.75)
    assert found["score_delta_points"]["value"] == pytest.approx(0.0)
    assert found["cost_usd_per_call"] == pytest.approx(1.5)
    # 1.5 of 5, not the mean of the cuts of single prompts.
    assert found["cut"]["value"] == pytest.approx(0.7)
    assert found["tier_share"] == {"slm": 0.25, "mid": 0.75, "frontier": 0.0}
    # Half slm, half mid.
    assert found["static_mixture_score"] == pytest.approx(0.5)
    assert found["over_static_mixture_points"] == pytest.approx(25.0)
    assert found["is_prompt_dependent"]


def test_answers_of_one_tier_do_not_depend_on_the_prompt(make_side):
    side = make_side(np.zeros((20, 3)), np.ones((20, 3)))
    shares = [0] + [2] * 19
    found = summarise(result(np.zeros(20), np.ones(20), shares), side, np.random.default_rng(0))
    assert not found["is_prompt_dependent"]


def test_intervals_hold_the_value_and_shrink_with_prompts(make_side):
    rng = np.random.default_rng(2)
    widths = []
    for count in (100, 1_600):
        score = (rng.random((count, 3)) < [0.5, 0.7, 0.8]).astype(float)
        cost = np.array([1.0, 2.0, 8.0]) * rng.uniform(0.5, 1.5, (count, 3))
        found = summarise(result(score[:, 1], cost[:, 1]), make_side(score, cost), rng)
        for name in ("score_delta_points", "cut"):
            low, high = found[name]["ci95"]
            assert low < found[name]["value"] < high
        widths.append(np.diff(found["score_delta_points"]["ci95"])[0])
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.35)


def test_gains_are_compared_prompt_by_prompt(make_side):
    # The same score as the frontier on each prompt leaves nothing uncertain, however much prompts differ.
    score = np.random.default_rng(3).random((200, 3)).round()
    found = summarise(
        result(score[:, 2], np.ones(200)), make_side(score, np.ones((200, 3))), np.random.default_rng(0)
    )
    assert found["score_delta_points"] == {"value": 0.0, "ci95": [0.0, 0.0]}


def test_a_cut_that_is_the_same_on_each_prompt_is_certain(make_side):
    cost = np.random.default_rng(5).lognormal(0.0, 1.5, (200, 3))
    found = summarise(
        result(np.ones(200), cost[:, 2] / 2), make_side(np.ones((200, 3)), cost), np.random.default_rng(0)
    )
    assert [found["cut"]["value"], *found["cut"]["ci95"]] == pytest.approx([0.5] * 3)


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say(make_side):
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(25):
        score = np.stack([np.zeros(80), rng.random(80) < 0.6, rng.random(80) < 0.7], axis=1).astype(float)
        found = summarise(result(score[:, 1], np.ones(80)), make_side(score, np.ones((80, 3))), rng)
        low, high = found["score_delta_points"]["ci95"]
        covered += low <= -10.0 <= high
    # 95 % of 25 are 23.8, with a standard deviation of 1.1; four are allowed.
    assert covered >= 19


def test_task_types_of_too_few_prompts_are_left_out(make_side):
    count = 70
    side = make_side(np.tile([0.0, 0.5, 1.0], (count, 1)), np.tile([1.0, 2.0, 4.0], (count, 1)))
    types = np.array(["code"] * 41 + ["qa"] * 29)
    side = replace(side, recorded=replace(side.recorded, task_types=types))
    found = by_task_type(
        result(np.r_[np.ones(41), np.zeros(29)], np.full(count, 3.0)), side, np.random.default_rng(0)
    )
    assert list(found) == ["code"]
    assert found["code"]["prompts"] == 41
    assert found["code"]["score_delta_points"]["value"] == pytest.approx(0.0)
    assert found["code"]["cut"]["value"] == pytest.approx(0.25)
