import numpy as np
import pytest

from x25.routing.answer.features import PAIR_FEATURE_NAMES
from x25.training.data.recorded import is_held_out, read_recorded
from x25.training.verifier.answer_matrix import read_answers
from x25.training.verifier.heads import fit_logistic
from x25.training.verifier.measures import auc
from x25.training.verifier.panel import PairSide, fit_pair, mirrored, panel_verifier

MODELS = ("tiny", "middle", "large")


@pytest.fixture(scope="module")
def sides(answered):
    recorded = read_recorded(answered, "made")
    answers = read_answers(answered, recorded)
    held_out = is_held_out(recorded.groups)
    return [(recorded.take(rows), answers.take(rows)) for rows in (~held_out, held_out)]


@pytest.fixture(scope="module")
def panel(sides):
    (train, given), (test, asked) = sides
    return panel_verifier(
        train,
        test,
        MODELS,
        priors_train=np.full((len(train), 3), 0.6),
        priors_test=np.full((len(test), 3), 0.6),
        answers_train=given,
        answers_test=asked,
        fit=fit_logistic,
    )


def right(side, tier):
    return side.correct[:, side.columns([MODELS[tier]])[0]]


def test_beliefs_tell_right_from_wrong_on_both_sides(sides, panel):
    assert panel.q_train.shape == (len(sides[0][0]), 3)
    assert auc(panel.q_train[:, 0], right(sides[0][0], 0)) > 0.65
    assert auc(panel.q_test[:, 0], right(sides[1][0], 0)) > 0.65


def test_a_second_answer_tells_more_than_the_first_alone(sides, panel):
    train = sides[0][0]
    alone, beside = panel.q_train[:, 0], panel.pair_q_train[:, 0, 1]
    assert auc(beside, right(train, 0)) > auc(alone, right(train, 0)) + 0.03
    assert auc(panel.pair_q_test[:, 0, 1], right(sides[1][0], 0)) > 0.75


def test_no_answer_is_compared_with_itself(panel):
    assert np.isnan(np.diagonal(panel.pair_q_test, axis1=1, axis2=2)).all()
    assert np.isfinite(panel.pair_q_test[:, 0, 1]).all()


def test_agreement_is_mutual_and_favours_right_answers(sides, panel):
    assert np.array_equal(panel.same_train[:, 0, 1], panel.same_train[:, 1, 0])
    agreed = panel.same_train[:, 0, 1] == 1.0
    was_right = right(sides[0][0], 0)
    assert was_right[agreed].mean() > was_right[~agreed].mean() + 0.3


def test_bins_of_evidence_rise_with_the_share_right(sides, panel):
    train = sides[0][0]
    shares = [right(train, 0)[panel.bins_train[:, 0] == one].mean() for one in range(5)]
    assert shares[4] > shares[0] + 0.2
    assert set(np.unique(panel.bins_test)) <= set(range(5))


def test_a_model_without_recorded_answers_has_no_belief(sides):
    (train, given), (test, asked) = sides
    silent = [answers.choose(["tiny", "middle"]) for answers in (given, asked)]
    panel = panel_verifier(
        train,
        test,
        MODELS[:2],
        priors_train=np.full((len(train), 2), 0.6),
        priors_test=np.full((len(test), 2), 0.6),
        answers_train=silent[0],
        answers_test=silent[1].choose(["tiny"]),
        fit=fit_logistic,
    )
    assert np.isnan(panel.q_test[:, 1]).all()
    assert (panel.bins_test[:, 1] == -1).all()
    assert np.isnan(panel.pair_q_test[:, 0, 1]).all()


def test_seen_from_the_other_answer_only_the_length_gap_turns(sides):
    train, given = sides[0]
    zeros = np.zeros((len(train), 3))
    one = PairSide(train.take(range(20)), given.take(range(20)), zeros[:20], zeros[:20])
    tiny, large = given.models.index("tiny"), given.models.index("large")
    assert mirrored(one.pair_texts(tiny, large)) == pytest.approx(one.pair_texts(large, tiny))


def test_without_labels_there_is_no_pair_regression():
    inputs = np.random.default_rng(0).normal(size=(30, len(PAIR_FEATURE_NAMES)))
    head, probs = fit_pair(inputs, np.ones(30), np.arange(30) % 5)
    assert head is None
    assert np.isnan(probs).all()


def test_answers_of_models_outside_the_panel_are_fitted_on_too(sides):
    (train, given), (test, asked) = sides
    arguments = {
        "priors_train": np.full((len(train), 2), 0.6),
        "priors_test": np.full((len(test), 2), 0.6),
        "answers_test": asked,
        "fit": fit_logistic,
    }
    two, three = (
        panel_verifier(train, test, MODELS[:2], answers_train=answers, **arguments)
        for answers in (given.choose(MODELS[:2]), given)
    )
    assert set(two.verifier.tiers) == set(MODELS[:2])
    assert set(three.verifier.tiers) == {*MODELS[:2], "others"}
    assert three.q_train.shape == two.q_train.shape
    assert not np.allclose(two.q_train, three.q_train)
    assert auc(three.q_test[:, 0], right(test, 0)) > 0.65
