import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.thompson import DEFAULT_LEARNER
from x25.routing.plan.terms import Terms
from x25.training.replay.loop import Call, Loop, measure_loop
from x25.training.replay.memory import Memory
from x25.training.replay.regret import Setting


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
        bins=np.where(scores > 0, right, wrong), judge_usd=np.full(probs.shape, 0.0002), table=DEFAULT_TABLE,
        frontier_usd=0.01,
    )  # fmt: skip


def test_utility_is_the_best_held_answer_minus_the_price_of_all_that_was_bought():
    loop = make_loop()
    call = Call(loop, 0, loop.probs[0])
    memory = Memory({"s": "slm", "m": "mid", "f": "frontier"}, DEFAULT_LEARNER)
    terms = Terms("plan", loop.prices, 10_000_000, 1.0, loop.table)
    first, _ = call.play(memory, terms, np.random.default_rng(0))
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
