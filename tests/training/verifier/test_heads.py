import numpy as np
import pytest

from x25.routing.answer.verifier_trees import LogisticHead, TreesHead
from x25.routing.prompt.logistic import sigmoids
from x25.training.data.metrics import auc
from x25.training.verifier.heads import (
    LEAST_TREE_LABELS,
    export_trees,
    fit_head,
    fit_logistic,
    fit_platt,
    fit_trees,
    scores_out_of_fold,
)


def world(rows, seed=0):
    """Eight inputs; being right depends on the first two and on a step of the third."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, 8))
    log_odds = 1.2 * inputs[:, 0] - 0.8 * inputs[:, 1] + 1.5 * (inputs[:, 2] > 0.3)
    return inputs, (rng.random(rows) < sigmoids(log_odds)).astype(float), log_odds


def test_logistic_regression_finds_the_weights_and_leaves_a_constant_input_alone():
    inputs, right, _ = world(20_000)
    inputs[:, 7] = 3.0
    head = fit_logistic(inputs, right, ridge=1.0)
    assert head.coef[0] / head.scale[0] == pytest.approx(1.15, abs=0.12)
    assert head.coef[1] / head.scale[1] == pytest.approx(-0.77, abs=0.1)
    assert head.coef[7] == 0.0


def test_few_labels_are_pulled_harder_towards_no_evidence():
    inputs, right, _ = world(20_000)
    few, many = fit_logistic(inputs[:150], right[:150]), fit_logistic(inputs, right)
    assert abs(few.coef[0]) < 0.5 * abs(many.coef[0])


@pytest.mark.train
def test_exported_trees_equal_the_librarys_probabilities():
    ensemble = pytest.importorskip("sklearn.ensemble", reason="needs the train extra")
    inputs, right, _ = world(4_000)
    model = ensemble.HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0)
    model.fit(inputs, right > 0.5)
    trees = export_trees(model, 8)
    fresh = world(500, seed=1)[0]
    wanted = model.predict_proba(fresh)[:, 1]
    assert np.abs(sigmoids(trees.logits(fresh)) - wanted).max() < 1e-6
    singly = [trees.logit(row.tolist()) for row in fresh]
    assert np.abs(sigmoids(np.array(singly)) - wanted).max() < 1e-6
    again = TreesHead.from_dict(trees.to_dict())
    assert np.array_equal(again.logits(fresh), trees.logits(fresh))


@pytest.mark.train
def test_the_number_of_labels_chooses_the_head():
    pytest.importorskip("sklearn", reason="needs the train extra")
    inputs, right, _ = world(LEAST_TREE_LABELS)
    assert isinstance(fit_head(inputs[:-1], right[:-1]), LogisticHead)
    assert isinstance(fit_head(inputs, right), TreesHead)


@pytest.mark.train
def test_trees_rank_unseen_answers_almost_as_well_as_the_truth():
    pytest.importorskip("sklearn", reason="needs the train extra")
    inputs, right, _ = world(4_000)
    fresh, was_right, log_odds = world(4_000, seed=1)
    assert auc(fit_trees(inputs, right).logits(fresh), was_right) > auc(log_odds, was_right) - 0.02


def test_out_of_fold_scores_never_come_from_a_head_that_saw_the_row():
    inputs, right, _ = world(300)
    fold = np.arange(300) % 3

    class Remembers:
        def __init__(self, rows):
            self.seen = {row.tobytes() for row in rows}

        def logits(self, rows):
            return np.array([float(row.tobytes() in self.seen) for row in rows])

    scores = scores_out_of_fold(inputs, right, fold, lambda rows, _: Remembers(rows))
    assert not scores.any()


def test_platt_undoes_overconfidence():
    _, right, log_odds = world(20_000)
    slope, intercept = fit_platt(3.0 * log_odds + 1.0, right)
    assert slope == pytest.approx(1 / 3, abs=0.03)
    assert intercept == pytest.approx(-1 / 3, abs=0.06)


def test_platt_never_turns_a_score_round():
    _, right, log_odds = world(2_000)
    assert fit_platt(-log_odds, right)[0] > 0.0
