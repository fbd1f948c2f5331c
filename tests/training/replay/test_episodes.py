import numpy as np
import pytest

from x25.training.replay.episodes import Ceiling, World, orders_of, run
from x25.training.replay.learners import Greedy


class Spy(Greedy):
    """Greedy that remembers what it was shown."""

    def __init__(self, probs):
        super().__init__(probs)
        self.shown = []

    def learn(self, rows, arms, rewards, seen):
        self.shown.append((rows, arms, rewards, seen))
        return super().learn(rows, arms, rewards, seen)


def test_every_order_holds_every_prompt_once_and_is_the_same_for_every_learner():
    orders = orders_of(30, 4, 7)
    assert (np.sort(orders, axis=1) == np.arange(30)).all()
    assert np.array_equal(orders, orders_of(30, 4, 7))
    assert not np.array_equal(orders[0], orders[1])


def test_the_learner_is_shown_the_reward_of_the_arm_it_chose_and_nothing_else(side):
    spy = Spy(side.probs)
    trace = run(side, spy, orders_of(len(side), 2, 1), np.random.default_rng(0))
    for step, (rows, arms, rewards, seen) in enumerate(spy.shown):
        assert np.array_equal(arms, trace.arms[:, step])
        assert np.array_equal(rewards, side.rewards[rows, arms])
        assert seen.all()


def test_one_judgement_in_ten_is_what_a_share_of_a_tenth_shows(side):
    spy = Spy(side.probs)
    run(side, spy, orders_of(len(side), 10, 1), np.random.default_rng(0), judged=0.1)
    assert np.mean([seen.mean() for *_, seen in spy.shown]) == pytest.approx(0.1, abs=0.02)


def test_decisions_look_at_predicted_costs_and_realised_ones_are_charged(side):
    orders, ceiling = orders_of(len(side), 2, 1), Ceiling(0.002, 1.0)
    dearer = type(side)(**{**vars(side), "costs_usd": 1.0001 * side.costs_usd})
    first, second = (
        run(one, Greedy(one.probs), orders, np.random.default_rng(0), ceiling=ceiling)
        for one in (side, dearer)
    )
    assert np.array_equal(first.arms[:, 0], second.arms[:, 0])
    lanes = np.arange(2)[:, None]
    assert np.array_equal(first.costs_usd, side.costs_usd[orders, first.arms])
    assert first.costs_usd.shape == (2, len(side)) == second.costs_usd.shape
    assert lanes.shape == (2, 1)


def test_a_ceiling_is_kept_to_within_the_guard_and_one_overrun(side):
    trace = run(
        side,
        Greedy(side.probs),
        orders_of(len(side), 5, 1),
        np.random.default_rng(0),
        ceiling=Ceiling(0.002, 1.0),
    )
    spent = trace.costs_usd.sum(axis=1)
    assert (spent <= 0.002 * (len(side) + 2) + side.costs_usd.max()).all()
    assert spent.mean() > 0.8 * 0.002 * len(side)


def test_an_arm_that_is_not_there_is_never_asked(side):
    ones = np.ones((len(side), 3))
    is_there = ones.astype(bool)
    is_there[:50, 2] = False
    trace = run(
        side,
        Greedy(side.probs),
        orders_of(len(side), 3, 1),
        np.random.default_rng(0),
        world=World(ones, ones, is_there),
    )
    assert not (trace.arms[:, :50] == 2).any()
    assert (trace.arms[:, 50:] == 2).any()
