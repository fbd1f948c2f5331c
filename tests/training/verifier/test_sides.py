import shutil

import numpy as np
import pytest

from x25.training.data.recorded import is_held_out
from x25.training.data.sides import Folders
from x25.training.verifier.sides import read_sides


def test_without_a_second_folder_a_fifth_is_held_out(answered, no_encoder):
    train, test = read_sides(Folders(answered, None, no_encoder), "made")
    assert len(train.recorded) + len(test.recorded) == 600
    assert not is_held_out(train.recorded.groups).any()
    assert is_held_out(test.recorded.groups).all()
    assert len(train.design) == len(train.labelled.correct) == len(train.recorded)


def test_with_a_second_folder_all_of_the_first_is_fitted_on(answered, no_encoder, tmp_path):
    shutil.copytree(answered, tmp_path / "test")
    train, test = read_sides(Folders(answered, tmp_path / "test", no_encoder), "made")
    assert len(train.recorded) == len(test.recorded) == 600


def test_test_answers_are_measured_with_what_is_usual_on_the_train_side(answered, no_encoder):
    train, test = read_sides(Folders(answered, None, no_encoder), "made")
    assert np.array_equal(train.labelled.inputs[0, :, -1], test.labelled.inputs[0, :, -1])


def test_perfect_scores_measure_one_and_uninformed_ones_a_half(answered, no_encoder):
    _, test = read_sides(Folders(answered, None, no_encoder), "made")
    correct = test.labelled.correct
    assert test.measure(np.where(correct > 0.5, 9.0, -9.0)) == {
        "auc": 1.0,
        "auc_in": 1.0,
        "ece": pytest.approx(0.0, abs=1e-3),
    }
    assert test.measure(np.zeros_like(correct))["auc"] == 0.5


def test_a_source_without_a_known_frontier_counts_all_models(answered, no_encoder):
    train, _ = read_sides(Folders(answered, None, no_encoder), "made")
    assert train.counted == [0, 1, 2]
