import numpy as np
import pytest

from x25.training.verifier.continuation import (
    PanelSignals,
    Point,
    Worth,
    fit_continuation,
    operating_point,
    trade_off,
)

COSTS = (0.05, 0.1, 1.0)


def panel(prompts=3_000, seed=0):
    """Three tiers; the text of an answer tells fairly well whether it is right, a second answer better still."""
    rng = np.random.default_rng(seed)
    priors = np.clip(rng.normal([0.6, 0.7, 0.85], 0.1, (prompts, 3)), 0.05, 0.95)
    correct = (rng.random((prompts, 3)) < priors).astype(float)
    own = _belief(priors, correct, 1.2, rng)
    pair = np.stack([_belief(own, correct, 1.5, rng)] * 3, axis=2)
    same = 1.0 - np.abs(correct[:, :, None] - correct[:, None, :])
    return PanelSignals(priors, own, pair, same, correct, np.broadcast_to(COSTS, (prompts, 3)))


def _belief(before, correct, gap, rng):
    signal = rng.normal(size=correct.shape) + gap * correct
    log_odds = np.log(before / (1.0 - before)) + gap * (signal - gap / 2)
    return 1.0 / (1.0 + np.exp(-log_odds))


FOLD = np.arange(3_000) % 5


def test_regression_recovers_a_linear_worth():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(size=(5_000, 3))
    target = 0.2 + inputs @ [0.5, 0.0, -0.3]
    assert Worth.fit(inputs, target).predict(inputs[:50]) == pytest.approx(target[:50], abs=0.01)


def test_when_calls_cost_nearly_nothing_the_policy_asks_on_and_beats_the_last_tier():
    policy, seen = fit_continuation(panel(), FOLD, 0.001, "agreement")
    got = policy.run(panel(seed=1))
    for outcome in (seen, got):
        assert outcome.score.mean() > panel().correct[:, 2].mean() + 0.02
    assert got.calls.mean() > 1.5


def test_when_calls_are_dear_the_policy_stays_with_the_cheapest():
    policy, _ = fit_continuation(panel(), FOLD, 50.0, "own")
    got = policy.run(panel(seed=1))
    assert got.calls.max() == 1
    assert got.cost == pytest.approx(np.full(3_000, COSTS[0]))


@pytest.mark.parametrize("seed", [1, 2])
def test_looking_at_answers_is_worth_more_than_the_prompt_alone(seed):
    score = {}
    for signals in ("prompt", "own", "agreement"):
        policy, _ = fit_continuation(panel(), FOLD, 0.15, signals)
        got = policy.run(panel(seed=seed))
        score[signals] = got.score.mean() - 0.15 * got.cost.mean()
    assert score["prompt"] + 0.01 < score["own"] < score["agreement"]


def test_every_prompt_gets_an_answer_that_was_asked_for():
    policy, _ = fit_continuation(panel(), FOLD, 0.1, "agreement")
    fresh = panel(seed=3)
    got = policy.run(fresh)
    assert (got.calls >= 1).all()
    assert (got.cost >= COSTS[0] - 1e-12).all()
    assert (got.score <= fresh.correct.max(axis=1)).all()


def test_what_is_not_held_is_not_looked_at():
    one, other = panel(), panel()
    one.own[:, 1:], one.pair[:], one.same[:] = 0.5, 0.5, 0.5
    assert np.array_equal(one.known((0,), "own"), other.known((0,), "own"))
    assert np.array_equal(one.known((0,), "agreement"), other.known((0,), "agreement"))
    assert np.array_equal(one.known((0, 1), "prompt"), other.known((0, 1), "prompt"))


def test_the_answer_handed_out_is_the_one_believed_most():
    signals = panel(prompts=4)
    signals.own[:] = [0.9, 0.2, 0.5]
    assert signals.best((0, 2), "own").tolist() == [0] * 4
    signals.pair[:, 0, 2], signals.pair[:, 2, 0] = 0.1, 0.8
    assert signals.best((0, 2), "agreement").tolist() == [2] * 4


def test_operating_point_is_chosen_on_train_alone():
    points = [
        Point(0.1, train_gain=0.2, train_cut=0.3, gain=-5.0, cut=0.3, calls=1.0),
        Point(0.2, train_gain=-0.1, train_cut=0.9, gain=5.0, cut=0.9, calls=1.0),
        Point(0.3, train_gain=1.2, train_cut=0.1, gain=0.0, cut=0.1, calls=1.0),
    ]
    assert operating_point(points) is points[0]
    assert operating_point(points, 1.0) is points[2]
    assert operating_point(points, 2.0) is None


def test_dearer_calls_save_more_and_gain_less():
    points = trade_off(panel(), panel(seed=1), FOLD, "own", [0.01, 0.1, 0.6])
    assert [point.cut for point in points] == sorted(point.cut for point in points)
    assert [point.gain for point in points] == sorted((point.gain for point in points), reverse=True)
