from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.belief.likelihood import FAILED_CHECK
from x25.routing.belief.thompson import DEFAULT_LEARNER
from x25.state.observations import Observation
from x25.training.replay.loop import Call, Loop, failed_checks, measure_loop, teach
from x25.training.replay.memory import Memory, arm_of
from x25.training.replay.regret import Setting

pytestmark = pytest.mark.slow


def make_loop(length=300, levels=(0.5, 0.75, 0.9), seed=0):
    """Right or wrong answers at known rates, and a judge whose scores follow the default table."""
    rng = np.random.default_rng(seed)
    probs = np.broadcast_to(np.array(levels), (length, 3))
    scores = (rng.random(probs.shape) < probs).astype(float)
    right, wrong = (
        rng.choice(5, size=scores.shape, p=law) for law in (DEFAULT_TABLE.right, DEFAULT_TABLE.wrong)
    )
    costs = np.broadcast_to(np.array([0.0001, 0.001, 0.01]), probs.shape)
    return Loop(
        models=("s", "m", "f"), probs=probs, scores=scores, costs_usd=costs, predicted_usd=costs,
        bins=np.where(scores > 0, right, wrong), fails=failed_checks(scores, rng),
        judge_usd=np.full(probs.shape, 0.0002), table=DEFAULT_TABLE,
        frontier_usd=0.01,
    )  # fmt: skip


def remember():
    return Memory({"s": "slm", "m": "mid", "f": "frontier"}, DEFAULT_LEARNER)


def test_wrong_answers_fail_checks_as_often_as_the_likelihood_says():
    correct = np.random.default_rng(0).integers(0, 2, (20_000, 3)).astype(float)
    fails = failed_checks(correct, np.random.default_rng(1))
    assert fails[correct == 0.0].mean() == pytest.approx(FAILED_CHECK[1], abs=0.01)
    assert fails[correct == 1.0].mean() == pytest.approx(FAILED_CHECK[0], abs=0.002)


def test_an_answer_that_fails_a_check_is_not_judged_and_teaches_only_where_a_judge_would_have_looked():
    loop = make_loop()
    failing = replace(loop, fails=np.ones_like(loop.fails))
    outcomes = set()
    for row in range(40):
        _, seen = Call(failing, row).play(remember(), loop.terms(DEFAULT_LEARNER), np.random.default_rng(row))
        outcomes.add((seen.outcome, seen.teaches == seen.is_due))
    assert outcomes == {("failed_check", True)}


@pytest.mark.parametrize("level", [0.5, 0.85])
def test_what_is_learnt_is_the_pass_rate_although_wrong_answers_fail_checks(level):
    rng, learnt = np.random.default_rng(2), []
    for _ in range(20):
        memory, arm = remember(), arm_of("s", "slm", 0.7)
        for call in range(1, 300):
            right = rng.random() < level
            failed = rng.random() < FAILED_CHECK[0 if right else 1]
            law = DEFAULT_TABLE.right if right else DEFAULT_TABLE.wrong
            seen = (
                Observation("failed_check", None, 0.0, None, 1.0, True)
                if failed
                else Observation("scored", int(rng.choice(5, p=law)), None, None, 1.0, True)
            )
            teach(memory, arm, seen, DEFAULT_TABLE, org_calls=call)
        evidence = memory.read(300)["s"]
        learnt.append(evidence.reward_sum / evidence.weight)
    assert np.mean(learnt) == pytest.approx(level, abs=0.03)


def test_a_judge_nobody_trusts_teaches_nothing_but_failed_checks_do():
    blunt = JudgeTable("blunt", (0.2, 0.4, 0.6, 0.8), (0.2,) * 5, (0.21, 0.2, 0.2, 0.2, 0.19))
    memory, arm = remember(), arm_of("s", "slm", 0.7)
    teach(memory, arm, Observation("scored", 0, None, None, 1.0, True), blunt, org_calls=1)
    assert memory.read() == {}
    teach(memory, arm, Observation("failed_check", None, 0.0, None, 1.0, True), blunt, org_calls=2)
    assert memory.read()["s"].weight == 1.0


def test_utility_is_the_best_held_answer_minus_the_price_of_all_that_was_bought():
    loop = make_loop()
    call = Call(loop, 0)
    first, _ = call.play(remember(), loop.terms(DEFAULT_LEARNER), np.random.default_rng(0))
    assert first.model_id in loop.models
    assert call.utility <= 100.0
    # Three answers and three judgements at most: .0111 + .0006 dollars, a tenth of a point a percent.
    assert call.utility >= -100.0 * 0.1 * 0.0117 / 0.01 - 1e-9


def test_learning_from_an_inverted_prior_ends_above_not_learning():
    found = measure_loop(make_loop(), "p", Setting(orders=3), 300)
    assert found["inverted"]["200-500"] > found["inverted, not learning"]["200-500"]
    assert found["below_ceiling"]["warm"]["200-500"]["mean"] == pytest.approx(0.0, abs=3.0)


def test_all_priors_report_the_same_windows():
    found = measure_loop(make_loop(120), "p", Setting(orders=1), 120)
    gaps = found.pop("below_ceiling")
    assert {tuple(windows) for windows in found.values()} == {("0-50", "50-100", "100-200")}
    assert set(gaps) == set(found) - {"ceiling"}
