import numpy as np

from x25.training.replay.episodes import orders_of, run
from x25.training.replay.linear import LinUCB, cold_prior, warm_prior


def test_a_cold_linear_learner_finds_the_better_arm(side):
    orders = orders_of(len(side), 4, 1)
    bandit = LinUCB(side, 4, cold_prior(3, 2), 0.3)
    trace = run(side, bandit, orders, np.random.default_rng(0))
    assert (trace.arms[:, -100:] == 2).mean() > 0.8


def test_a_warm_one_knows_it_from_the_start(side):
    orders = orders_of(len(side), 4, 1)
    trace = run(side, LinUCB(side, 4, warm_prior(side, side), 0.05), orders, np.random.default_rng(0))
    assert (trace.arms[:, :20] == 2).mean() > 0.9


def test_a_prior_of_the_stream_itself_leaves_the_prompts_own_fold_out(side):
    spoiled = side.rewards.copy()
    spoiled[side.folds == 2] = 0.0
    before, after = (warm_prior(one, one) for one in (side, type(side)(**{**vars(side), "rewards": spoiled})))
    assert np.array_equal(before.moment[2], after.moment[2])
    assert not np.array_equal(before.moment[1], after.moment[1])
