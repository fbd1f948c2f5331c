import numpy as np
import pytest

from x25.routing.belief.thompson import DEFAULT_LEARNER, Learner, combine, offset_posterior
from x25.state.records import Evidence
from x25.training.replay.learners import (
    COLD,
    RUBRIC,
    Chance,
    Classic,
    Detector,
    Greedy,
    Offset,
    offset_beliefs,
)  # fmt: skip

ALL = np.array([True])


@pytest.mark.parametrize("learner", [DEFAULT_LEARNER, RUBRIC, COLD])
def test_beliefs_are_those_of_the_serving_code(learner):
    rng = np.random.default_rng(1)
    p, weight = rng.uniform(0.01, 0.99, 200), rng.uniform(0.0, 500.0, 200)
    reward, predicted = weight * rng.uniform(-0.2, 1.2, 200), weight * rng.random(200)
    mean, kappa = offset_beliefs(p, (reward, predicted, weight), learner)
    for i in range(200):
        evidence = Evidence("m", "all", reward_sum=reward[i], predicted_sum=predicted[i], weight=weight[i])
        assert (mean[i], kappa[i]) == pytest.approx(offset_posterior(p[i], evidence, learner), abs=1e-12)


def test_evidence_adds_up_as_the_store_does_and_is_read_as_selection_reads_it():
    learner, rng = Learner(gamma=0.9, remembered=20.0), np.random.default_rng(2)
    probs = rng.uniform(0.2, 0.9, (300, 2))
    bandit = Offset(probs, 1, learner, weight=1.0)
    stored = [Evidence("a", "all"), Evidence("b", "all")]
    for call in range(1, 200):
        row, arm, reward = rng.integers(300), int(rng.random() < 0.2), rng.random()
        bandit.learn(np.array([row]), np.array([arm]), np.array([reward]), ALL)
        old = stored[arm]
        g = learner.gamma ** (call - old.calls_seen)
        stored[arm] = Evidence(
            old.model_id, "all", reward_sum=old.reward_sum * g + reward,
            predicted_sum=old.predicted_sum * g + probs[row, arm], weight=old.weight * g + 1.0, calls_seen=call,
            reward_total=old.reward_total + reward, predicted_total=old.predicted_total + probs[row, arm],
            weight_total=old.weight_total + 1.0,
        )  # fmt: skip
    mean, kappa = bandit.beliefs(np.array([7]))
    by_model = {one.model_id: one for one in stored}
    read = combine(by_model, by_model, learner)
    for arm, name in enumerate(by_model):
        served = offset_posterior(probs[7, arm], read[name], learner)
        assert (mean[0, arm], kappa[0, arm]) == pytest.approx(served, abs=1e-12)


def test_an_unseen_reward_teaches_nothing():
    bandit = Offset(np.full((10, 2), 0.5), 2, COLD)
    bandit.learn(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 1.0]), np.array([True, False]))
    mean = bandit.beliefs(np.array([2, 2]))[0]
    assert mean[0, 0] > 0.5
    assert mean[1, 0] == pytest.approx(0.5)


def test_orders_do_not_see_each_other():
    rng = np.random.default_rng(3)
    probs = rng.uniform(0.3, 0.9, (50, 3))
    both, alone = (Offset(probs, orders, COLD, detector=Detector()) for orders in (2, 1))
    for _ in range(60):
        rows, arms, rewards = rng.integers(50, size=2), rng.integers(3, size=2), rng.random(2)
        both.learn(rows, arms, rewards, np.array([True, True]))
        alone.learn(rows[1:], arms[1:], rewards[1:], ALL)
    assert np.allclose(both.beliefs(np.array([4, 4]))[0][1], alone.beliefs(np.array([4]))[0][0])


def fed(detector, level, steps, rng, changed=None):
    """Feed one arm rewards around a level, or around another from half way on; return the alarmed steps."""
    bandit = Offset(np.full((1, 1), level), 1, RUBRIC, detector=detector)
    alarmed = []
    for step in range(steps):
        mean = level if changed is None or step < steps // 2 else changed
        reward = np.array([mean + 0.1 * rng.normal()])
        if bandit.learn(np.array([0]), np.array([0]), reward, ALL)[0]:
            alarmed.append(step)
    return bandit, alarmed


def test_a_drop_of_a_fifth_is_noticed_within_eighty_steps_in_nineteen_of_twenty_runs():
    rng = np.random.default_rng(4)
    delays = [[s - 200 for s in fed(Detector(), 0.9, 400, rng, 0.74)[1] if s >= 200] for _ in range(20)]
    assert sum(bool(found) and found[0] < 80 for found in delays) >= 19


def test_a_steady_arm_raises_no_alarm_in_ten_thousand_steps():
    rng = np.random.default_rng(5)
    assert sum(len(fed(Detector(), 0.9, 1_000, rng)[1]) for _ in range(10)) == 0


def test_after_an_alarm_the_belief_is_what_was_seen_lately():
    bandit, rng = Offset(np.full((1, 1), 0.9), 1, RUBRIC, detector=Detector()), np.random.default_rng(6)
    rewards = [0.9] * 100 + [0.6] * 60
    for reward in rewards:
        noisy = np.array([reward + 0.1 * rng.normal()])
        if bandit.learn(np.array([0]), np.array([0]), noisy, ALL)[0]:
            break
    assert reward == 0.6
    assert bandit.beliefs(np.array([0]))[0][0, 0] < 0.82


def test_a_drifted_arm_that_nobody_asks_is_believed_again_only_where_it_fades():
    beliefs = {}
    for fades in (False, True):
        bandit = Offset(np.full((1, 2), 0.9), 1, RUBRIC, detector=Detector(), fades=fades)
        for step in range(2_000):
            arm = np.array([0 if step < 250 else 1])
            bandit.learn(np.array([0]), arm, np.array([0.9 if step < 200 or step >= 250 else 0.3]), ALL)
        beliefs[fades] = bandit.beliefs(np.array([0]))[0][0, 0]
    assert beliefs[False] < 0.6
    assert beliefs[True] > 0.85


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
