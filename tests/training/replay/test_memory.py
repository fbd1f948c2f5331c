import numpy as np
import pytest

from x25.routing.belief.drift import FAST_GAMMA, KEEP, alarm, expectation, has_changed, surprise
from x25.routing.belief.thompson import Learner, combine, return_prob
from x25.state.lessons import Watch
from x25.state.store import open_store
from x25.training.replay.memory import CELL, Memory, arm_of

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


async def test_what_is_read_is_what_the_store_would_give_through_a_fall_and_a_repair(tmp_path):
    learner, rng = Learner(return_hazard=1.0 / 200.0), np.random.default_rng(4)
    memory, alarms, returns = Memory({"a": "slm"}, learner), [], []
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        for call in range(1, 400):
            predicted = float(rng.uniform(0.6, 0.9))
            right = rng.random() < (0.2 if 150 <= call < 250 else 0.85)
            cells, pooled = await store.posteriors.read_levels("o", CELL)
            expected = expectation(predicted, cells.get("a"), pooled.get("a"), learner)
            assert memory.expected("a", predicted) == pytest.approx(expected)
            nats = None if expected is None else surprise(expected, (float(right), 1.0 - right))
            kept = await store.posteriors.learn(
                "o", f"c{call}", 0, task_cell=CELL, model_id="a", tier="slm", success=0.0, failure=0.0,
                selection=(float(right), predicted), org_calls=2 * call, gamma=learner.gamma,
                watch=Watch.after(nats, FAST_GAMMA, learner.return_hazard),
            )  # fmt: skip
            if has_changed(kept):
                await store.transact(
                    lambda connection, arm=kept: store.posteriors.begin_anew(
                        connection, "o", arm, keep=KEEP, record=alarm(arm)
                    )
                )
                alarms.append(alarm(kept)["direction"])
            assert memory.add("a", float(right), predicted, 2 * call, nats) == has_changed(kept)
            stored = combine(*await store.posteriors.read_levels("o", CELL), learner, 2 * call + 3)
            read = memory.read(2 * call + 3)["a"]
            assert vars_of(read) == pytest.approx(vars_of(stored["a"]), rel=1e-9, abs=1e-9)
            returns.append(return_prob(read))
    assert set(alarms) == {"worse", "better"}
    assert max(returns) > 0.5


def vars_of(evidence):
    """Return the numbers of a record."""
    return {
        name: getattr(evidence, name)
        for name in evidence.__slots__
        if name not in {"model_id", "task_cell", "tier"}
    }


def test_one_observation_may_be_worth_several():
    heavy, light = Memory(TIERS, Learner(), weight=6.0), Memory(TIERS, Learner())
    for memory in (heavy, light):
        memory.add("a", 0.9, 0.6, 1)
    one, six = light.read()["a"], heavy.read()["a"]
    assert (six.reward_sum, six.weight) == pytest.approx((6.0 * one.reward_sum, 6.0))


def test_an_arm_is_predicted_and_priced_as_given():
    arm = arm_of("m", "mid", 0.7, 0.002)
    assert (arm.completion_prob, arm.expected_cost_nusd, arm.rank) == (0.7, 2_000_000, 1)
