import math

import numpy as np
import pytest

from x25.routing.belief.judge_table import (
    DEFAULT_TABLE,
    JudgeTable,
    auc_interval,
    auc_of_counts,
    table_from_counts,
)

EDGES = (0.2, 0.4, 0.6, 0.8)
BLIND = JudgeTable("blind", EDGES, (0.2,) * 5, (0.2,) * 5)


def test_shares_are_normalised():
    assert sum(DEFAULT_TABLE.right) == pytest.approx(1.0)
    assert sum(DEFAULT_TABLE.wrong) == pytest.approx(1.0)


def test_scores_fall_into_five_bins_and_an_edge_belongs_above():
    assert [DEFAULT_TABLE.bin_of(score) for score in (0.0, 0.199, 0.2, 0.5, 0.8, 1.0)] == [0, 0, 1, 2, 4, 4]


def test_a_score_that_is_no_number_has_no_bin():
    with pytest.raises(ValueError, match="score must be finite, got nan"):
        DEFAULT_TABLE.bin_of(math.nan)


def test_posterior_is_bayes_rule_and_rises_with_the_bin():
    posteriors = [DEFAULT_TABLE.posterior(0.5, score_bin) for score_bin in range(5)]
    assert posteriors == sorted(posteriors)
    assert posteriors[4] == pytest.approx(0.27 / (0.27 + 0.02 / 1.01))


def test_posteriors_average_back_to_the_prior():
    chances = 0.7 * np.array(DEFAULT_TABLE.right) + 0.3 * np.array(DEFAULT_TABLE.wrong)
    assert chances @ [DEFAULT_TABLE.posterior(0.7, b) for b in range(5)] == pytest.approx(0.7)


def test_learning_weights_are_unbiased_for_correctness():
    weights = DEFAULT_TABLE.reward_weights()
    assert np.dot(DEFAULT_TABLE.right, weights) == pytest.approx(1.0)
    assert np.dot(DEFAULT_TABLE.wrong, weights) == pytest.approx(0.0)
    assert weights == pytest.approx([-0.56, 0.19, 0.88, 1.34, 1.77], abs=0.04)


def test_learning_weights_have_the_smallest_variance_of_all_unbiased_ones():
    weights = DEFAULT_TABLE.reward_weights()
    likelihoods = np.array([DEFAULT_TABLE.right, DEFAULT_TABLE.wrong])
    free = np.linalg.svd(likelihoods)[2][2:]
    mix = likelihoods.mean(axis=0)
    for direction in free:
        for step in (-0.1, 0.1):
            assert mix @ weights**2 < mix @ (weights + step * direction) ** 2


def test_a_judge_that_tells_nothing_has_no_learning_weights_and_no_trust():
    assert BLIND.auc == pytest.approx(0.5)
    assert not BLIND.is_trusted
    with pytest.raises(ValueError, match="'blind' tells right from wrong answers in no bin"):
        BLIND.reward_weights()


def test_auc_counts_shared_bins_half():
    perfect = JudgeTable("sharp", EDGES, (1e-9, 1e-9, 1e-9, 1e-9, 1.0), (1.0, 1e-9, 1e-9, 1e-9, 1e-9))
    assert perfect.auc == pytest.approx(1.0)
    assert DEFAULT_TABLE.auc == pytest.approx(0.83, abs=0.01)
    assert DEFAULT_TABLE.is_trusted


@pytest.mark.parametrize(
    ("edges", "right"),
    [
        ((0.2, 0.2, 0.6, 0.8), (0.2,) * 5),
        ((0.2, 0.4, 0.6), (0.2,) * 5),
        (EDGES, (0.25,) * 4),
        (EDGES, (0.0, 0.25, 0.25, 0.25, 0.25)),
        (EDGES, (0.3,) * 5),
        (EDGES, (math.nan, 0.2, 0.2, 0.2, 0.2)),
    ],
)
def test_an_impossible_table_is_refused(edges, right):
    with pytest.raises(ValueError, match="must be"):
        JudgeTable("x", edges, right, (0.2,) * 5)


def test_a_table_without_labels_is_the_default_and_many_labels_outweigh_it():
    assert table_from_counts(DEFAULT_TABLE, (0,) * 5, (0,) * 5).right == pytest.approx(DEFAULT_TABLE.right)
    sharp = table_from_counts(DEFAULT_TABLE, (0, 0, 0, 0, 9_975), (9_975, 0, 0, 0, 0))
    assert sharp.auc == pytest.approx(1.0, abs=0.01)


def test_the_default_is_worth_fifty_labels():
    table = table_from_counts(DEFAULT_TABLE, (0, 0, 0, 0, 25), (0,) * 5)
    assert table.right[4] == pytest.approx(0.5 * DEFAULT_TABLE.right[4] + 0.5)
    assert table.wrong == pytest.approx(DEFAULT_TABLE.wrong)


@pytest.mark.parametrize("counts", [(1, 2, 3), (0, 0, 0, 0, -1), (0, 0, 0, 0, math.inf)])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="counts must be 5 finite numbers"):
        table_from_counts(DEFAULT_TABLE, counts, (0,) * 5)


def test_the_auc_of_counts_is_the_share_of_pairs_told_apart():
    assert auc_of_counts((0, 0, 0, 0, 7), (3, 0, 0, 0, 0)) == 1.0
    assert auc_of_counts((0, 1, 0, 0, 1), (0, 1, 0, 0, 1)) == 0.5
    assert auc_of_counts((0, 0, 0, 0, 7), (0,) * 5) is None


def test_the_interval_holds_the_true_auc_about_nineteen_times_in_twenty():
    rng = np.random.default_rng(25)
    held = 0
    for _ in range(400):
        right, wrong = rng.multinomial(60, DEFAULT_TABLE.right), rng.multinomial(30, DEFAULT_TABLE.wrong)
        low, high = auc_interval(auc_of_counts(right, wrong), 60, 30)
        held += low <= DEFAULT_TABLE.auc <= high
    assert 0.92 <= held / 400 <= 0.995


def test_the_interval_of_a_flawless_judge_does_not_shrink_to_a_point():
    low, high = auc_interval(1.0, 5, 5)
    assert low < 0.85
    assert high == 1.0
    assert auc_interval(0.9, 50, 50)[0] > auc_interval(0.9, 5, 5)[0]
