from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.drift import surprise
from x25.routing.belief.thompson import belief_mean, offset_posterior
from x25.training.replay.learners import (
    COLD,
    RIGHT,
    RUBRIC,
    WRONG,
    Chance,
    Classic,
    Greedy,
    Offset,
    score_surprise,
)

ALL = np.array([True])


def means(bandit, row=0):
    """Return what each arm of the first order is believed to be worth on a prompt."""
    evidence = bandit.orgs[0].read(bandit.calls)
    return [
        belief_mean(arm.completion_prob, evidence.get(arm.model_id), bandit.learner)
        for arm in bandit.arms_of(row)
    ]


def learn(bandit, row, arm, reward):
    return bool(bandit.learn(np.array([row]), np.array([arm]), np.array([reward]), ALL)[0])


def test_draws_come_from_the_beliefs_of_the_serving_code():
    rng = np.random.default_rng(1)
    probs = rng.uniform(0.2, 0.9, (300, 2))
    bandit = Offset(probs, 1, COLD, weight=1.0)
    for _ in range(200):
        learn(bandit, int(rng.integers(300)), int(rng.random() < 0.2), float(rng.random()))
    draws = np.stack([bandit.qualities(np.array([7]), rng)[0] for _ in range(2_000)])
    evidence = bandit.orgs[0].read(bandit.calls)
    for arm, served in enumerate(bandit.arms_of(7)):
        mean, kappa = offset_posterior(probs[7, arm], evidence[served.model_id], COLD)
        assert draws[:, arm].mean() == pytest.approx(mean, abs=0.01)
        assert draws[:, arm].std() == pytest.approx(np.sqrt(mean * (1.0 - mean) / (kappa + 1.0)), rel=0.1)


def test_an_unseen_reward_teaches_nothing():
    bandit = Offset(np.full((10, 2), 0.5), 2, COLD)
    bandit.learn(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 1.0]), np.array([True, False]))
    assert means(bandit)[0] > 0.5
    assert bandit.orgs[1].read(1) == {}


def test_orders_do_not_see_each_other():
    rng = np.random.default_rng(3)
    probs = rng.uniform(0.3, 0.9, (50, 3))
    both, alone = (Offset(probs, orders, COLD) for orders in (2, 1))
    for _ in range(60):
        rows, arms, rewards = rng.integers(50, size=2), rng.integers(3, size=2), rng.random(2)
        both.learn(rows, arms, rewards, np.array([True, True]))
        alone.learn(rows[1:], arms[1:], rewards[1:], ALL)
    assert both.orgs[1].read(60) == alone.orgs[0].read(60)


def test_a_score_tells_the_detector_as_much_as_that_many_answers_right_and_wrong():
    nats = score_surprise(0.8, 0.75, weight=4.0)
    right, wrong = surprise(0.8, RIGHT), surprise(0.8, WRONG)
    assert nats == pytest.approx([3.0 * right[way] + wrong[way] for way in (0, 1)])


def fed(level, steps, rng, changed=None):
    """Feed one arm rewards around a level, or around another from half way on; return the alarmed steps."""
    bandit = Offset(np.full((1, 1), level), 1, RUBRIC)
    alarmed = []
    for step in range(steps):
        mean = level if changed is None or step < steps // 2 else changed
        if learn(bandit, 0, 0, float(np.clip(mean + 0.1 * rng.normal(), 0.0, 1.0))):
            alarmed.append(step)
    return alarmed


def test_a_drop_of_a_fifth_is_noticed_within_eighty_steps_in_nineteen_of_twenty_runs():
    rng = np.random.default_rng(4)
    delays = [[s - 200 for s in fed(0.9, 400, rng, 0.74) if s >= 200] for _ in range(20)]
    assert sum(bool(found) and found[0] < 80 for found in delays) >= 19


def test_a_steady_arm_raises_no_alarm_in_ten_thousand_steps():
    rng = np.random.default_rng(5)
    assert sum(len(fed(0.9, 1_000, rng)) for _ in range(10)) == 0


def test_after_an_alarm_the_belief_is_what_was_seen_lately():
    bandit, rng = Offset(np.full((1, 1), 0.9), 1, RUBRIC), np.random.default_rng(6)
    for level in [0.9] * 100 + [0.6] * 60:
        if learn(bandit, 0, 0, level + 0.1 * rng.normal()):
            break
    assert level == 0.6
    assert means(bandit)[0] < 0.82


def test_a_worse_arm_that_nobody_asks_is_tried_again_only_where_it_may_have_been_repaired():
    asked = {}
    for hazard in (0.0, 1.0 / 1500.0):
        bandit = Offset(np.full((1, 2), 0.9), 1, replace(RUBRIC, return_hazard=hazard))
        for step in range(500):
            learn(bandit, 0, 0 if step < 250 else 1, 0.9 if step < 200 or step >= 250 else 0.3)
        rng = np.random.default_rng(8)
        draws = np.stack([bandit.qualities(np.array([0]), rng)[0] for _ in range(500)])
        asked[hazard] = float((draws[:, 0] > 0.85).mean())
    assert asked[0.0] == 0.0
    assert asked[1.0 / 1500.0] == pytest.approx(0.14, abs=0.06)  # odds 250 / 1500


def test_a_new_arm_is_believed_by_its_own_strength():
    bandit = Offset(np.full((1, 2), 0.8), 1, RUBRIC, strengths=np.array([RUBRIC.n0, 60.0]))
    rng = np.random.default_rng(7)
    draws = np.stack([bandit.qualities(np.array([0]), rng)[0] for _ in range(500)])
    assert draws[:, 1].std() > 4 * draws[:, 0].std()


def test_the_classic_learner_adds_a_reward_to_alpha_and_its_complement_to_beta():
    bandit = Classic(2, 1)
    bandit.learn(np.array([0]), np.array([1]), np.array([0.25]), ALL)
    assert bandit.counts[:, 0].tolist() == [[1.0, 1.25], [1.0, 1.75]]


def test_greed_follows_the_prediction_and_chance_does_not():
    rng, rows = np.random.default_rng(8), np.zeros(3_000, dtype=np.int64)
    assert (Greedy(np.array([[0.2, 0.9]])).qualities(rows, rng).argmax(axis=1) == 1).all()
    assert Chance(2).qualities(rows, rng).argmax(axis=1).mean() == pytest.approx(0.5, abs=0.05)
