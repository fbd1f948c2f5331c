import math

import numpy as np
import pytest

from x25.training.data.metrics import auc, bootstrap_ci, brier, calibration_table, ece, rank_correlation


def test_auc_counts_the_pairs_in_the_right_order():
    assert auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
    assert auc([0.9, 0.8, 0.1], [1, 1, 0]) == 1.0


def test_auc_counts_a_tie_as_half_a_pair():
    assert auc([0.5, 0.5, 0.5], [1, 0, 1]) == 0.5
    assert auc([0.2, 0.5, 0.5], [0, 0, 1]) == 0.75


def test_auc_agrees_with_counting_every_pair():
    rng = np.random.default_rng(1)
    score, label = rng.integers(0, 8, size=60), rng.integers(0, 2, size=60)
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in score[label == 1]
        for low in score[label == 0]
    ]
    assert auc(score, label) == pytest.approx(sum(pairs) / len(pairs))


def test_auc_of_one_class_is_undefined():
    assert math.isnan(auc([0.1, 0.9], [1, 1]))


def test_brier_is_the_mean_squared_error():
    assert brier([0.0, 1.0, 0.5], [0, 1, 1]) == pytest.approx(0.25 / 3)


def test_ece_is_zero_for_true_probabilities_and_the_gap_for_false_ones():
    rng = np.random.default_rng(2)
    prob = rng.uniform(size=40_000)
    label = rng.uniform(size=40_000) < prob
    assert ece(prob, label) < 0.015
    assert ece([0.9] * 10, [1] * 5 + [0] * 5) == pytest.approx(0.4)


def test_ece_takes_soft_labels():
    assert ece([0.3, 0.7], [0.3, 0.7]) == pytest.approx(0.0)


def test_certainty_falls_into_the_highest_bin():
    (only,) = calibration_table([1.0, 1.0], [1, 0])
    assert (only.low, only.high, only.count, only.share_completed) == (0.9, 1.0, 2, 0.5)


def test_a_calibration_table_holds_every_row_once():
    prob = np.linspace(0.0, 1.0, 101)
    table = calibration_table(prob, prob, bins=7)
    assert sum(one.count for one in table) == 101
    assert [one.low for one in table] == sorted(one.low for one in table)
    assert all(one.low <= one.mean_predicted_prob <= one.high for one in table)


def test_an_interval_holds_the_mean_and_narrows_with_more_values():
    rng = np.random.default_rng(3)
    values = rng.normal(2.0, 1.0, size=400)
    low, high = bootstrap_ci(values, np.random.default_rng(0))
    few_low, few_high = bootstrap_ci(values[:40], np.random.default_rng(0))
    assert low < values.mean() < high
    assert high - low < few_high - few_low
    assert bootstrap_ci(values, np.random.default_rng(0)) == (low, high)


def test_rank_correlation_sees_order_alone():
    assert rank_correlation([1.0, 2.0, 3.0], [1.0, 10.0, 1_000.0]) == pytest.approx(1.0)
    assert rank_correlation([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == pytest.approx(-1.0)
    assert rank_correlation([1.0, 1.0], [1.0, 2.0]) == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: auc([0.1], [0, 1]),
        lambda: brier([], []),
        lambda: brier([float("nan")], [1.0]),
        lambda: ece([1.2], [1.0]),
        lambda: ece([0.2], [1.0], bins=0),
        lambda: bootstrap_ci([], np.random.default_rng(0)),
        lambda: bootstrap_ci([1.0], np.random.default_rng(0), level=1.0),
    ],
)
def test_what_cannot_be_measured_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()
