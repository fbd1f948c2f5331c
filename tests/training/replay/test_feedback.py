import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, auc_of_counts
from x25.routing.belief.thompson import DEFAULT_LEARNER
from x25.state.label_counts import NO_FIRST_ANSWER, UNJUDGED
from x25.training.evaluation.fit import Side
from x25.training.replay.feedback import (
    LABELLERS,
    OPENS_AT,
    LabelBook,
    measure_feedback,
    run_labelled,
    unmeasured_loop,
)
from x25.training.replay.regret import Setting

pytestmark = pytest.mark.slow
MODELS = ("s", "m", "f")


@pytest.fixture(scope="module")
def side() -> Side:
    """Three models of .45, .8 and .85 at prices of 1, 3 and 40; predictions know neither."""
    rng = np.random.default_rng(0)
    correct = (rng.random((1_200, 3)) < np.array([0.45, 0.8, 0.85])).astype(float)
    costs = np.broadcast_to(np.array([0.0001, 0.0003, 0.004]), correct.shape)
    tokens = np.full(correct.shape, 100.0)
    return Side(
        completion_probs=np.broadcast_to(np.array([0.6, 0.75, 0.85]), correct.shape),
        predicted_costs_usd=costs,
        scores=correct,
        correct=correct,
        costs_usd=costs,
        input_tokens=tokens,
        output_tokens=tokens,
        recorded=None,
        difficulty=np.zeros(len(correct)),
    )


def setting(orders):
    return Setting(orders, 7, lambda _: None)


def test_the_judge_is_as_strong_as_it_is_said_to_be(side):
    for auc in (0.75, 0.95):
        loop = unmeasured_loop(MODELS, side, auc, np.random.default_rng(1))
        counts = [np.bincount(loop.bins[side.correct == right], minlength=5) for right in (1.0, 0.0)]
        assert auc_of_counts(*counts) == pytest.approx(auc, abs=0.03)
        assert loop.table is DEFAULT_TABLE


def test_labels_add_up_as_the_store_adds_them():
    book = LabelBook()
    book.add("m", 3, 1.0, 0.5)
    book.add("m", 3, 0.0, 0.25)
    book.add("m", UNJUDGED, 1.0, None)
    judged, later = book.all()
    assert (judged.judge, judged.right, judged.wrong, judged.predicted, judged.epoch) == (
        "judge",
        1.0,
        1.0,
        0.75,
        0,
    )
    assert (later.judge, later.place, later.epoch) == ("", UNJUDGED, NO_FIRST_ANSWER)


def test_nothing_is_said_before_feedback_opens(side):
    loop = unmeasured_loop(MODELS, side, 0.75, np.random.default_rng(1))
    rows = np.arange(OPENS_AT)
    runs = [
        run_labelled(loop, rows, loop.terms(DEFAULT_LEARNER), np.random.default_rng(2), say)[0]
        for say in (None, LABELLERS["turned round"])
    ]
    assert (runs[0] == runs[1]).all()


def test_honest_labels_make_up_for_a_weak_judge_and_lies_cost_less_than_a_point(side):
    """An org whose predictions are wrong: the small model is thought the best of all. Ten orders."""
    found = measure_feedback(MODELS, side, setting(10), 900, prior="inverted")
    assert found["lost"]["low"] > 0.0, found
    assert found["recovered"]["share"] > 0.5, found
    assert found["added"]["honest"]["low"] > 0.0, found
    for labeller in set(LABELLERS) - {"honest"}:
        assert found["added"][labeller]["mean"] > -1.0, (labeller, found)


def test_figures_are_of_the_same_prompts_for_every_labeller(side):
    found = measure_feedback(MODELS, side, setting(2), OPENS_AT + 10, climbs=2)
    assert set(found["utility"]) == {"strong", "weak", *LABELLERS}
    assert found["added"]["turned round"]["mean"] == pytest.approx(
        found["utility"]["turned round"] - found["utility"]["weak"], abs=2e-3
    )
