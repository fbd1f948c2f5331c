import numpy as np
import pytest

from x25.training.data.metrics import auc
from x25.training.verifier.measures import (
    auc_within,
    calibration_error,
    calibration_per_model,
    per_model,
)


def test_knowing_the_data_set_does_not_help_within_it():
    datasets = np.array(["easy"] * 100 + ["hard"] * 100)
    right = np.concatenate([np.arange(100) % 10 < 9, np.arange(100) % 10 < 1]).astype(float)
    scores = np.repeat([1.0, 0.0], 100)
    assert auc(scores, right) == pytest.approx(0.9)
    assert auc_within(scores, right, datasets) == pytest.approx(0.5)


def test_knowing_the_model_does_not_help_per_model():
    correct = np.column_stack([np.arange(200) % 10 < 9, np.arange(200) % 10 < 1]).astype(float)
    scores = np.broadcast_to([1.0, 0.0], correct.shape).astype(float)
    figures = per_model(scores, correct, np.array(["one"] * 200))
    assert figures == {"auc": pytest.approx(0.5), "auc_in": pytest.approx(0.5)}


def test_answers_that_were_not_recorded_do_not_count():
    scores = np.array([[0.1, np.nan], [0.9, np.nan], [np.nan, np.nan], [0.2, np.nan]])
    correct = np.array([[0.0, np.nan], [1.0, np.nan], [0.0, 1.0], [0.0, np.nan]])
    assert per_model(scores, correct, np.array(["one"] * 4))["auc"] == 1.0


def test_too_few_pairs_say_nothing_within():
    assert np.isnan(auc_within([1, 2, 3], [0, 1, 1], np.array(["one"] * 3)))


def test_calibration_error_is_the_distance_from_the_share_right():
    right = np.arange(1_000) % 10 < 7
    assert calibration_error(np.full(1_000, 0.7), right) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(np.full(1_000, 0.9), right) == pytest.approx(0.2)
    assert calibration_per_model(
        np.full((1_000, 1), 0.9), right[:, None].astype(float), [0]
    ) == pytest.approx(0.2)
