import numpy as np
import pytest

from x25.training.fit.ridge import (
    Anchors,
    Tried,
    fit_ridge,
    fit_ridge_by_folds,
    fit_ridges,
    out_of_fold,
    pearson,
)

RNG = np.random.default_rng(7)
DESIGN = RNG.normal([2.0, -1.0, 0.5], [1.0, 3.0, 0.2], size=(600, 3))
TARGET = 1.5 + 0.8 * DESIGN[:, 0] - 0.1 * DESIGN[:, 1] + RNG.normal(0.0, 0.3, 600)
FOLD = np.arange(600) % 5


def test_ridge_equals_the_closed_form():
    # One input, inputs -1, 0, 1 after standardising: w = z'y / (z'z + alpha).
    design = np.array([[3.0], [5.0], [7.0]])
    target = np.array([0.0, 1.0, 5.0])
    z = (design[:, 0] - 5.0) / np.sqrt(8 / 3)
    head = fit_ridge(design, target, 2.0)
    weight = z @ target / (z @ z + 2.0)
    assert head.coef == pytest.approx([weight])
    assert head.level == 2.0
    assert (head.low, head.high) == pytest.approx((2.0 + weight * z[0], 2.0 + weight * z[2]))
    # Leverage z' (Z'Z + alpha)^-1 z.
    assert (z[0] * head.factor[0, 0]) ** 2 == pytest.approx(z[0] ** 2 / (z @ z + 2.0), rel=1e-5)


def test_ridge_of_many_inputs_solves_its_normal_equations():
    head = fit_ridge(DESIGN, TARGET, 50.0)
    z = (DESIGN - DESIGN.mean(axis=0)) / DESIGN.std(axis=0)
    z = np.clip(z, -4, 4)
    z -= z.mean(axis=0)
    assert (z.T @ z + 50.0 * np.eye(3)) @ head.coef == pytest.approx(z.T @ (TARGET - TARGET.mean()))


def test_an_input_that_never_varies_gets_no_weight_and_makes_nothing_new():
    constant = np.hstack([DESIGN, np.full((600, 1), 7.0)])
    head = fit_ridge(constant, TARGET, 100.0)
    assert head.coef[3] == 0.0
    moved = constant.copy()
    moved[:, 3] = -1e6
    assert np.array_equal(head.predict(moved), head.predict(constant))
    assert head.novelty(moved).max() == head.novelty(constant).max()


def test_inputs_like_those_of_training_keep_their_estimate_and_others_fade():
    head = fit_ridge(DESIGN, TARGET, 100.0)
    # Half of the training prompts are more typical than the typical one.
    assert (head.novelty(DESIGN) == 0.0).mean() == pytest.approx(0.5, abs=0.02)
    # Just as high in the input that counts, but unlike training in the one that does not.
    like = np.array([4.0, -1.0, 0.5])
    unlike = np.array([4.0, -1.0, 1.3])
    usual = abs(head.predict(like) - head.level)
    assert head.novelty(unlike) > 2 * head.novelty(like) > 0
    assert abs(head.predict(unlike) - head.level) < 0.7 * usual


def test_out_of_fold_estimates_never_see_their_fold():
    # Each fold's own targets are shifted by a level only its rows and an indicator of it betray.
    rng = np.random.default_rng(2)
    shift = np.array([5.0, -5.0, 2.0, -2.0, 0.0])[FOLD]
    planted = np.hstack([DESIGN, np.eye(5)[FOLD]])
    _, estimates = fit_ridge_by_folds(planted, shift + rng.normal(0.0, 0.1, 600), FOLD, Tried([0.1]))
    seen = fit_ridge(planted, shift, 0.1).predict(planted)
    assert pearson(seen, shift) > 0.95
    # An indicator that never varied elsewhere tells nothing; left out, a fold is guessed from the others' mean.
    assert pearson(estimates, shift) < 0.0


def test_labels_of_a_fold_change_no_estimate_in_it():
    _, before = fit_ridge_by_folds(DESIGN, TARGET, FOLD, Tried([300.0]))
    changed = np.where(FOLD == 2, RNG.normal(50.0, 9.0, 600), TARGET)
    _, after = fit_ridge_by_folds(DESIGN, changed, FOLD, Tried([300.0]))
    assert np.array_equal(before[FOLD == 2], after[FOLD == 2])
    assert not np.allclose(before[FOLD == 1], after[FOLD == 1])


def test_rows_of_unknown_target_are_estimated_but_not_fitted_on():
    unknown = np.where(np.arange(600) % 7 == 0, np.nan, TARGET)
    head, estimates = fit_ridge_by_folds(DESIGN, unknown, FOLD, Tried([100.0]))
    known = np.isfinite(unknown)
    assert np.isfinite(estimates).all()
    assert pearson(estimates[~known], TARGET[~known]) > 0.7
    assert head.coef == pytest.approx(fit_ridge(DESIGN[known], TARGET[known], 100.0).coef)


def test_the_penalty_of_the_best_out_of_fold_correlation_is_taken():
    rng = np.random.default_rng(5)
    design = rng.normal(size=(80, 60))
    target = design[:, 0] + rng.normal(0.0, 1.0, 80)
    fold = np.arange(80) % 5
    alphas = (0.01, 30.0, 3_000.0)
    by_alpha = {one: fit_ridge_by_folds(design, target, fold, Tried([one]))[1] for one in alphas}
    head, estimates = fit_ridge_by_folds(design, target, fold, Tried(alphas))
    best = max(alphas, key=lambda one: pearson(by_alpha[one], target))
    assert head.alpha == best > 0.01
    assert np.array_equal(estimates, by_alpha[best])


def test_the_deviation_is_the_error_of_new_rows():
    rng = np.random.default_rng(8)
    design = rng.normal(size=(1_000, 10))
    target = design[:, 0] + rng.normal(0.0, 0.5, 1_000)
    head, _ = fit_ridge_by_folds(design[:500], target[:500], np.arange(500) % 5, Tried([10.0]))
    error = target[500:] - head.predict(design[500:])
    assert head.estimate(design[500:])[1].mean() == pytest.approx(error.std(), rel=0.1)


def test_a_larger_penalty_moves_estimates_towards_the_mean():
    spreads = [fit_ridge(DESIGN, TARGET, alpha).predict(DESIGN).std() for alpha in (1.0, 1e3, 1e5)]
    assert spreads == sorted(spreads, reverse=True)


def test_estimates_stay_in_the_training_range():
    head = fit_ridge(DESIGN, TARGET, 1.0)
    estimates = head.predict(np.vstack([DESIGN, DESIGN * 1e3, DESIGN * -1e3]))
    assert head.low <= estimates.min() < estimates.max() <= head.high


def test_a_row_of_weight_three_counts_as_three_rows():
    weight = np.where(np.arange(600) < 100, 3.0, 1.0)
    rows = np.repeat(np.arange(600), weight.astype(int))
    weighed, repeated = fit_ridge(DESIGN, TARGET, 50.0, weight), fit_ridge(DESIGN[rows], TARGET[rows], 50.0)
    assert weighed.coef == pytest.approx(repeated.coef)
    assert weighed.intercept == pytest.approx(repeated.intercept)


def test_many_targets_at_once_are_the_same_ridge():
    targets = np.stack([TARGET, 1.0 - 2.0 * TARGET], axis=1)
    for place, head in enumerate(fit_ridges(DESIGN, targets, 30.0)):
        alone = fit_ridge(DESIGN, targets[:, place], 30.0)
        assert head.coef == pytest.approx(alone.coef)
        assert (head.level, head.low, head.high) == pytest.approx((alone.level, alone.low, alone.high))
    together = out_of_fold(DESIGN, targets, FOLD, 30.0)
    _, alone = fit_ridge_by_folds(DESIGN, TARGET, FOLD, Tried([30.0], [0.0]))
    assert together[:, 0] == pytest.approx(alone)


def test_anchors_are_fitted_on_in_every_fold_and_have_no_estimate():
    anchors = Anchors(np.full((2, 3), 30.0), np.array([40.0, 40.0]), weight=5.0)
    head, estimates = fit_ridge_by_folds(DESIGN, TARGET, FOLD, Tried([1.0], [0.0]), anchors)
    assert len(estimates) == 600
    assert head.high > 30.0 > TARGET.max()
    weight = np.repeat([1.0, 5.0], [600, 2])
    whole = fit_ridge(np.vstack([DESIGN, anchors.design]), np.append(TARGET, anchors.target), 1.0, weight)
    assert head.coef == pytest.approx(whole.coef)


def test_correlation_of_what_never_varies_is_none():
    assert pearson(np.ones(5), np.arange(5.0)) == 0.0
    assert pearson(np.arange(1.0), np.arange(1.0)) == 0.0
    assert pearson(np.arange(5.0), -2 * np.arange(5.0)) == pytest.approx(-1.0)
