import pytest

from x25.routing.belief.thompson import Learner
from x25.training.replay.memory import Memory

TIERS = {"a": "slm", "b": "frontier"}


def test_an_arm_nobody_asked_has_no_evidence():
    memory = Memory(TIERS, Learner())
    memory.add("a", 1.0, 0.5, 1)
    assert set(memory.read()) == {"a"}


def test_older_evidence_is_discounted_by_the_calls_since():
    memory = Memory(TIERS, Learner(gamma=0.5, remembered=1e-9))
    memory.add("a", 1.0, 0.5, 1)
    memory.add("a", -0.2, 0.6, 4)
    kept = 0.5**3
    read = memory.read()["a"]
    assert read.reward_sum == pytest.approx(kept * 1.0 - 0.2)
    assert read.predicted_sum == pytest.approx(kept * 0.5 + 0.6)
    assert read.weight == pytest.approx(kept + 1.0)


def test_what_was_forgotten_stays_known_as_the_long_run():
    memory = Memory(TIERS, Learner(gamma=0.5, remembered=1e6))
    for call in range(1, 11):
        memory.add("a", 0.9, 0.6, call)
    read = memory.read()["a"]
    assert (read.reward_sum, read.predicted_sum, read.weight) == pytest.approx((9.0, 6.0, 10.0))
