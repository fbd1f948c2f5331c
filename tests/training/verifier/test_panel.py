import numpy as np
import pytest

from x25.routing.answer.features import PAIR_FEATURE_NAMES
from x25.training.data.metrics import auc
from x25.training.data.recorded import is_held_out, read_recorded
from x25.training.verifier.answer_matrix import read_answers
from x25.training.verifier.fit import Answered
from x25.training.verifier.heads import fit_logistic
from x25.training.verifier.panel import PairSide, fit_pair, mirrored, panel_verifier

MODELS = ("tiny", "middle", "large")


@pytest.fixture(scope="module")
def sides(answered):
    recorded = read_recorded(answered, "made")
    answers = read_answers(answered, recorded)
    held_out = is_held_out(recorded.groups)
    return [part(recorded.take(rows), answers.take(rows), 3) for rows in (~held_out, held_out)]


def part(recorded, answers, models):
    """Return one side whose prompts say nothing."""
    return Answered(recorded, answers, np.full((len(recorded), models), 0.6))


@pytest.fixture(scope="module")
def panel(sides):
    return panel_verifier(*sides, MODELS, fit=fit_logistic)


def right(side, tier):
    return side.recorded.correct[:, side.recorded.columns([MODELS[tier]])[0]]


def test_beliefs_tell_right_from_wrong_on_both_sides(sides, panel):
    assert panel.train.q.shape == (len(sides[0].recorded), 3)
    assert auc(panel.train.q[:, 0], right(sides[0], 0)) > 0.65
    assert auc(panel.test.q[:, 0], right(sides[1], 0)) > 0.65


def test_a_second_answer_tells_more_than_the_first_alone(sides, panel):
    train = sides[0]
    alone, beside = panel.train.q[:, 0], panel.train.pair_q[:, 0, 1]
    assert auc(beside, right(train, 0)) > auc(alone, right(train, 0)) + 0.03
    assert auc(panel.test.pair_q[:, 0, 1], right(sides[1], 0)) > 0.75


def test_no_answer_is_compared_with_itself(panel):
    assert np.isnan(np.diagonal(panel.test.pair_q, axis1=1, axis2=2)).all()
    assert np.isfinite(panel.test.pair_q[:, 0, 1]).all()


def test_agreement_is_mutual_and_favours_right_answers(sides, panel):
    assert np.array_equal(panel.train.same[:, 0, 1], panel.train.same[:, 1, 0])
    agreed = panel.train.same[:, 0, 1] == 1.0
    was_right = right(sides[0], 0)
    assert was_right[agreed].mean() > was_right[~agreed].mean() + 0.3


def test_bins_of_evidence_rise_with_the_share_right(sides, panel):
    train = sides[0]
    shares = [right(train, 0)[panel.train.bins[:, 0] == one].mean() for one in range(5)]
    assert shares[4] > shares[0] + 0.2
    assert set(np.unique(panel.test.bins)) <= set(range(5))


def test_a_model_without_recorded_answers_has_no_belief(sides):
    train, test = (part(side.recorded, side.answers.choose(["tiny", "middle"]), 2) for side in sides)
    silent = part(test.recorded, test.answers.choose(["tiny"]), 2)
    panel = panel_verifier(train, silent, MODELS[:2], fit=fit_logistic)
    assert np.isnan(panel.test.q[:, 1]).all()
    assert (panel.test.bins[:, 1] == -1).all()
    assert np.isnan(panel.test.pair_q[:, 0, 1]).all()


def test_seen_from_the_other_answer_only_the_length_gap_turns(sides):
    train, given = sides[0].recorded.take(range(20)), sides[0].answers.take(range(20))
    one = PairSide(part(train, given, 3), given, np.zeros((20, 3)))
    tiny, large = given.models.index("tiny"), given.models.index("large")
    assert mirrored(one.pair_texts(tiny, large)) == pytest.approx(one.pair_texts(large, tiny))


def test_without_labels_there_is_no_pair_regression():
    inputs = np.random.default_rng(0).normal(size=(30, len(PAIR_FEATURE_NAMES)))
    head, probs = fit_pair(inputs, np.ones(30), np.arange(30) % 5)
    assert head is None
    assert np.isnan(probs).all()


def test_answers_of_models_outside_the_panel_are_fitted_on_too(sides):
    train, test = (part(side.recorded, side.answers, 2) for side in sides)
    few = part(train.recorded, train.answers.choose(MODELS[:2]), 2)
    two, three = (panel_verifier(side, test, MODELS[:2], fit=fit_logistic) for side in (few, train))
    assert set(two.verifier.tiers) == set(MODELS[:2])
    assert set(three.verifier.tiers) == {*MODELS[:2], "others"}
    assert three.train.q.shape == two.train.q.shape
    assert not np.allclose(two.train.q, three.train.q)
    assert auc(three.test.q[:, 0], right(test, 0)) > 0.65
