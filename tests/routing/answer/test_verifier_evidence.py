import numpy as np
import pytest

from x25.routing.answer.verifier_evidence import (
    FLAT_TABLE,
    LEAST_AUDIT_AUC,
    LEAST_LABELS,
    TierEvidence,
    combine,
    error_correlation,
    evidence_weights,
    table_of,
    temper,
)
from x25.routing.belief.judge_table import DEFAULT_TABLE


def tier(labels=LEAST_LABELS, auc=LEAST_AUDIT_AUC):
    return TierEvidence(1.0, 0.0, DEFAULT_TABLE, labels, auc)


def two_signals(correlation, gap, seed, answers=40_000):
    """Right answers lie `gap` higher in two unit normal signals that err together."""
    rng = np.random.default_rng(seed)
    right = rng.random(answers) < 0.5
    shared, own, other = rng.normal(size=(3, answers))
    errors = [np.sqrt(correlation) * shared + np.sqrt(1.0 - correlation) * noise for noise in (own, other)]
    return errors[0] + gap[0] * right, errors[1] + gap[1] * right, right


def test_flat_table_moves_no_belief():
    assert [FLAT_TABLE.posterior(0.37, score_bin) for score_bin in range(5)] == pytest.approx([0.37] * 5)


@pytest.mark.parametrize(
    ("labels", "auc", "trusted"),
    [
        (LEAST_LABELS, LEAST_AUDIT_AUC, True),
        (LEAST_LABELS - 1, 0.9, False),
        (10_000, LEAST_AUDIT_AUC - 0.001, False),
        (10_000, None, False),
        (10_000, float("nan"), False),
    ],
)
def test_only_enough_labels_and_a_good_audit_earn_trust(labels, auc, trusted):
    guarded = tier(labels, auc)
    assert guarded.is_trusted is trusted
    assert guarded.table is (DEFAULT_TABLE if trusted else FLAT_TABLE)


def test_a_bad_audit_takes_the_trust_away_and_a_good_one_gives_it_back():
    bad = tier().audited(0.55)
    assert bad.table is FLAT_TABLE
    assert bad.audited(0.7).table is DEFAULT_TABLE
    assert tier().audited(0.7, labels=10).table is FLAT_TABLE


def test_table_gives_higher_bins_to_right_answers():
    rng = np.random.default_rng(0)
    right = rng.random(5_000) < 0.7
    table = table_of("t", rng.normal(size=5_000) + right, right)
    ratios = np.array(table.right) / np.array(table.wrong)
    assert (np.diff(ratios) > 0.0).all()
    assert table.auc == pytest.approx(0.745, abs=0.03)  # binormal, distance 1: .760, less what five bins lose
    assert np.dot(0.7 * np.array(table.right) + 0.3 * np.array(table.wrong), np.ones(5)) == pytest.approx(1.0)


def test_no_bin_is_impossible_for_few_labels():
    table = table_of("t", np.arange(10.0), np.arange(10.0) >= 5)
    assert min(table.right + table.wrong) > 0.0


@pytest.mark.parametrize("values", [[], [1.0] * 500])
def test_evidence_that_never_varies_makes_a_flat_table(values):
    table = table_of("t", values, np.arange(len(values)) % 2)
    assert table.posterior(0.4, 0) == table.posterior(0.4, 4) == pytest.approx(0.4)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.5])
def test_error_correlation_is_recovered_whatever_both_know(correlation):
    a, b, right = two_signals(correlation, (1.5, 0.8), seed=3)
    assert error_correlation(a, b, right) == pytest.approx(correlation, abs=0.02)


def test_a_signal_that_never_varies_errs_with_nobody():
    assert error_correlation([1.0, 1.0], [0.0, 1.0], [0, 1]) == 0.0


def test_independent_signals_are_multiplied_as_they_are():
    assert evidence_weights(0.7, 0.85, 0.0) == (1.0, 1.0)
    assert evidence_weights(0.7, 0.85, -0.3) == (1.0, 1.0)


def test_shared_errors_weigh_both_down_and_a_signal_that_adds_nothing_out():
    weak, strong = evidence_weights(0.7, 0.85, 0.3)
    assert 0.0 < weak < strong < 1.0
    assert evidence_weights(0.6, 0.9, 0.5) == (0.0, 1.0)
    assert evidence_weights(0.9, 0.6, 0.5) == (1.0, 0.0)
    assert evidence_weights(0.5, 0.8, 0.0) == (0.0, 1.0)
    assert evidence_weights(0.8, 0.5, 0.0) == (1.0, 0.0)


def test_weighted_evidence_is_calibrated_where_plain_multiplication_is_overconfident():
    gaps = (1.2, 1.0)
    a, b, right = two_signals(0.5, gaps, seed=11)
    first, second = (gap * (signal - gap / 2) for gap, signal in zip(gaps, (a, b), strict=True))
    aucs = [0.5 + 0.5 * float(np.mean(np.sign(s[right][:9_000] - s[~right][:9_000]))) for s in (a, b)]
    weights = evidence_weights(*aucs, error_correlation(a, b, right))

    def log_loss(used):
        p = np.array([combine(0.5, x, y, used) for x, y in zip(first[:8_000], second[:8_000], strict=True)])
        return -np.mean(np.log(np.where(right[:8_000], p, 1.0 - p)))

    assert log_loss(weights) < log_loss((1.0, 1.0)) - 0.005


def test_tempering_halves_the_evidence_of_each_bin():
    half = temper(DEFAULT_TABLE, 0.5)
    for score_bin in range(5):
        whole = np.log(DEFAULT_TABLE.right[score_bin] / DEFAULT_TABLE.wrong[score_bin])
        kept = np.log(half.right[score_bin] / half.wrong[score_bin])
        assert kept == pytest.approx(0.5 * whole, abs=0.15)
    assert 0.5 < half.auc < DEFAULT_TABLE.auc


def test_tempering_by_one_changes_nothing_and_by_zero_leaves_no_evidence():
    assert temper(DEFAULT_TABLE, 1.0) is DEFAULT_TABLE
    assert temper(DEFAULT_TABLE, 0.0).auc == pytest.approx(0.5)
