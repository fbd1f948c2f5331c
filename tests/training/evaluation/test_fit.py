from dataclasses import replace

import numpy as np
import pytest

from x25.state.types import TIERS
from x25.training.data.recorded import read_recorded
from x25.training.data.sides import Designed
from x25.training.evaluation.fit import fit_panel
from x25.training.evaluation.panels import Panel
from x25.training.fit.ridge import pearson


def made_panel(**changes):
    given = {"name": "made", "title": "Made", "source": "made",
             "tiers": {"slm": "tiny", "mid": "middle", "frontier": "large"}}  # fmt: skip
    return Panel(**given | changes)


@pytest.fixture(scope="module")
def halves(train_dir):
    recorded = read_recorded(train_dir, "made")
    first = np.arange(len(recorded)) < 160
    design = np.array([[prompt.count("therefore"), len(prompt)] for prompt in recorded.prompts], dtype=float)
    whole = Designed(recorded, design)
    return whole.take(first), whole.take(~first)


def test_sides_hold_what_the_panel_covers_in_ladder_order(halves):
    fit = fit_panel(made_panel(), *halves)
    assert (len(fit.train), len(fit.test)) == (156, 78)  # one in forty has no cost of the middle model
    assert (len(fit.train_prompts), len(fit.test_prompts)) == (160, 80)
    kept = fit.train.recorded
    assert np.array_equal(fit.train.scores, kept.scores[:, kept.columns(["tiny", "middle", "large"])])
    assert np.isfinite(fit.train.costs_usd).all()
    assert fit.train.completion_probs.shape == fit.train.predicted_costs_usd.shape == (156, len(TIERS))


def test_heads_know_hard_prompts_and_strong_tiers(fitted):
    fit, truth = fitted
    levels = [head.level for head in fit.tier_heads]
    assert levels == sorted(levels)
    assert min(head.slope for head in fit.tier_heads) > 0.3
    for side in (fit.train, fit.test):
        assert (np.diff(side.completion_probs.mean(axis=0)) > 0.05).all()
        assert pearson(side.difficulty, side.scores.mean(axis=1)) < -0.3
    # The input is the true difficulty with noise: a correlation of 1.2 / hypot(1.2, .5) = .92.
    assert pearson(fit.test_difficulty, truth) == pytest.approx(0.92, abs=0.05)


def test_train_is_judged_by_heads_that_have_not_seen_it(halves):
    # Noise that fits the labels it was fitted on must not help on other folds.
    rng = np.random.default_rng(0)
    train, test = (replace(side, design=rng.normal(size=(len(side.recorded), 60))) for side in halves)
    fit = fit_panel(made_panel(), train, test)
    seen = fit.difficulty_head.predict(train.design)
    failed = 1.0 - train.recorded.pass_rate()
    assert pearson(seen, failed) > 0.4
    assert abs(pearson(fit.train_difficulty, failed)) < 0.2
    # Tiers told the estimates of heads that had seen the prompts would trust them.
    assert max(abs(head.slope) for head in fit.tier_heads) < 0.5


def test_outcomes_of_the_test_side_reach_no_head(halves):
    train, test = halves
    known = test.recorded
    deal = np.random.default_rng(5).permutation(len(known))
    dealt = replace(
        known, scores=known.scores[deal], correct=known.correct[deal], costs_usd=7.0 * known.costs_usd[deal],
        output_tokens=known.output_tokens[deal],
    )  # fmt: skip
    before, after = (fit_panel(made_panel(), train, side) for side in (test, replace(test, recorded=dealt)))
    assert before.tier_heads == after.tier_heads
    for name in ("completion_probs", "predicted_costs_usd", "difficulty"):
        assert np.array_equal(getattr(before.train, name), getattr(after.train, name))
    assert np.array_equal(before.test_difficulty, after.test_difficulty)
    assert before.difficulty_head.to_dict() == after.difficulty_head.to_dict()
    # What is said of a test prompt is the same, however it went there.
    both = set(before.test.recorded.prompt_ids) & set(after.test.recorded.prompt_ids)
    by_id = [
        dict(zip(fit.test.recorded.prompt_ids, fit.test.predicted_costs_usd, strict=True))
        for fit in (before, after)
    ]
    assert both
    assert all(np.array_equal(by_id[0][one], by_id[1][one]) for one in both)


def test_expected_costs_are_right_on_average_and_per_prompt(fitted):
    fit, _ = fitted
    assert fit.train.predicted_costs_usd.mean(axis=0) == pytest.approx(
        fit.train.costs_usd.mean(axis=0), rel=1e-6
    )
    # Known apart from noise of 10 %.
    error = np.abs(fit.test.predicted_costs_usd / fit.test.costs_usd - 1.0)
    assert np.median(error) < 0.1


def test_a_dearer_prompt_is_expected_to_be_dearer(halves):
    train, test = halves
    prompts = (*train.recorded.prompts, *test.recorded.prompts)
    length = np.array([len(prompt) for prompt in prompts], dtype=float)
    costs = np.exp(0.05 * (length - length.mean()))[:, None] * np.array([1e-4, 4e-4, 5e-4, 2e-3])
    parts = np.split(costs, [len(train.recorded)])
    sides = [
        replace(side, recorded=replace(side.recorded, costs_usd=part))
        for side, part in zip(halves, parts, strict=True)
    ]
    fit = fit_panel(made_panel(), *sides)
    for tier in range(len(TIERS)):
        assert (
            pearson(np.log(fit.test.predicted_costs_usd[:, tier]), np.log(fit.test.costs_usd[:, tier])) > 0.85
        )


def test_datasets_outside_the_panel_are_not_fitted_on(halves):
    train, test = halves
    fit = fit_panel(made_panel(datasets=("sums",)), train, test)
    assert set(fit.train_prompts.datasets) == set(fit.test_prompts.datasets) == {"sums"}
    known = train.recorded
    spoilt = replace(known, scores=np.where((known.datasets == "sums")[:, None], known.scores, 0.0))
    again = fit_panel(made_panel(datasets=("sums",)), replace(train, recorded=spoilt), test)
    assert again.tier_heads == fit.tier_heads


def test_a_side_without_a_prompt_of_the_panel_is_refused(halves):
    train, test = halves
    few = test.take(test.recorded.datasets != "proofs")
    with pytest.raises(ValueError, match="panel 'made' has no prompt on one side"):
        fit_panel(made_panel(datasets=("proofs",)), train, few)


def test_rows_are_taken_from_everything_a_side_holds(fitted):
    side = fitted[0].test
    taken = side.take(np.array([4, 1]))
    assert len(taken) == 2
    assert taken.recorded.prompt_ids.tolist() == side.recorded.prompt_ids[[4, 1]].tolist()
    assert np.array_equal(taken.completion_probs, side.completion_probs[[4, 1]])
