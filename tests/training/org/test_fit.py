from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.prompt.logistic import sigmoids
from x25.training.org.fit import USUAL_SLOPE, Seen, choose_ridge, fit, fit_org, log_losses, start

LEVELS, SLOPES = np.array([-0.3, 0.6, 1.6]), np.array([0.9, 0.7, 0.5])
SEEDS = range(8)


def planted(seed, answers=1_200, inputs=20, moved=0.25):
    """Return judged answers of a world whose difficulty differs from the bundled one, and what is true of them."""
    rng = np.random.default_rng(seed)
    z, bundled = rng.standard_normal((answers, inputs)), rng.standard_normal(answers)
    u = moved * rng.standard_normal(inputs)
    model = rng.integers(3, size=answers)
    prob = sigmoids(LEVELS[model] - SLOPES[model] * (bundled + z @ u))
    is_right = rng.random(answers) < prob
    right, wrong = np.array(DEFAULT_TABLE.right), np.array(DEFAULT_TABLE.wrong)
    bins = np.where(is_right, rng.choice(5, answers, p=right), rng.choice(5, answers, p=wrong))
    seen = Seen(
        z, bundled, model, right[bins], wrong[bins], np.arange(answers).astype(str), ("a", "b", "c"),
        np.array([0.4, 0.8, 1.2]),
    )  # fmt: skip
    return seen, prob, bins, is_right


def as_labels(seen, is_right):
    return replace(seen, right=is_right.astype(float), wrong=1.0 - is_right)


def test_em_recovers_planted_levels_slopes_and_predictions_where_thresholding_does_not():
    """Eight worlds; thresholding a judge of AUC .83 mistakes its errors for the models'."""
    errors = {"em": [], "thresholded": []}
    for seed in SEEDS:
        seen, prob, bins, _ = planted(seed)
        em, naive = fit(seen, 30.0), fit(as_labels(seen, bins >= 3), 30.0)
        for name, found in (("em", em), ("thresholded", naive)):
            at_zero = sigmoids(found.levels - found.slopes * found.shift)
            errors[name].append([
                np.abs(at_zero - sigmoids(LEVELS)).mean(), np.abs(found.slopes - SLOPES).mean(),
                np.sqrt(((found.predict(seen) - prob) ** 2).mean()),
            ])  # fmt: skip
    em, naive = (np.array(errors[name]) for name in ("em", "thresholded"))
    assert (em.mean(axis=0) < [0.08, 0.25, 0.14]).all(), em.mean(axis=0)
    assert (em.mean(axis=0) < 0.75 * naive.mean(axis=0)).all(), naive.mean(axis=0)
    assert (em[:, 2] < naive[:, 2]).all()


def test_hard_labels_teach_more_than_the_judges_bins():
    gains = []
    for seed in SEEDS:
        seen, prob, _, is_right = planted(seed)
        judged, labelled = (fit(one, 30.0).predict(seen) for one in (seen, as_labels(seen, is_right)))
        gains.append(((judged - prob) ** 2).mean() - ((labelled - prob) ** 2).mean())
    assert np.mean(gains) > 2 * np.std(gains) / np.sqrt(len(gains))


def test_without_answers_that_tell_anything_the_bundled_prediction_stays():
    seen = planted(0)[0]
    dull = replace(seen, right=np.full(len(seen), 0.3), wrong=np.full(len(seen), 0.3))
    found = fit(dull, 30.0)
    assert found.predict(seen) == pytest.approx(start(seen).predict(seen), abs=1e-6)


def test_an_infinite_penalty_moves_no_input_and_offsets_no_slope():
    seen = planted(0)[0]
    assert not fit(seen, np.inf).u.any()
    offsets = fit(seen, np.inf, levels_only=True)
    assert offsets.shift == 0.0
    assert offsets.slopes == pytest.approx(np.full(3, USUAL_SLOPE), abs=1e-4)
    assert not np.allclose(offsets.levels, seen.start_levels, atol=0.05)


def test_cross_validation_leaves_the_bundled_difficulty_alone_where_it_is_right():
    chosen = {
        moved: [choose_ridge(planted(seed, 600, moved=moved)[0])[0] for seed in SEEDS] for moved in (0.0, 0.4)
    }
    assert np.mean([ridge > 100.0 for ridge in chosen[0.0]]) > 0.5, chosen
    assert np.mean([ridge <= 100.0 for ridge in chosen[0.4]]) > 0.9, chosen


def test_prompts_alike_are_never_divided_between_folds():
    """The same noise-labelled prompt many times: seen from both sides it would reward learning it by heart."""
    rng = np.random.default_rng(3)
    seen = planted(3, 60, inputs=60, moved=0.0)[0]
    copied = seen.take(np.repeat(np.arange(60), 12))
    divided = replace(copied, group=rng.permutation(len(copied)).astype(str))
    _, whole_losses = choose_ridge(copied)
    _, divided_losses = choose_ridge(divided)
    assert divided_losses["100"] < divided_losses["inf"]
    assert whole_losses["100"] > divided_losses["100"]


def test_the_same_answers_give_the_same_fit():
    seen = planted(5, 300)[0]
    (one, _), (two, _) = fit_org(seen), fit_org(seen)
    assert (one.u == two.u).all()
    assert one.shift == two.shift


def test_a_refit_predicts_held_out_answers_better_than_the_bundled_estimators():
    gains = []
    for seed in SEEDS:
        seen = planted(seed, 1_000)[0]
        train, test = seen.take(np.arange(1_000) < 800), seen.take(np.arange(1_000) >= 800)
        found, _ = fit_org(train)
        gains.append(
            (log_losses(start(test).predict(test), test) - log_losses(found.predict(test), test)).mean()
        )
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(len(gains))
