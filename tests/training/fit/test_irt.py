from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.irt import Profile
from x25.routing.prompt.logistic import sigmoids
from x25.training.data.recorded import fold_of
from x25.training.data.synthetic_outcomes import synthetic_outcomes, synthetic_profiles
from x25.training.fit.corpus import Labels, corpus_of, designed, training_encoder
from x25.training.fit.irt import UNFADED, fit, fit_form, form_mu, measure, model_of, scores_of
from x25.training.fit.ridge import Anchors, fit_ridge_by_folds

ENCODER = training_encoder("none")
LABELS = Labels()
PROFILES = synthetic_profiles()
TRAIN, TEST = (corpus_of(part) for part in synthetic_outcomes(42).split_by_prompt())
DESIGN, TEST_DESIGN = designed(TRAIN.texts, ENCODER), designed(TEST.texts, ENCODER)


@pytest.fixture(scope="module")
def fitted():
    return fit(TRAIN, DESIGN, TRAIN.capabilities(PROFILES), LABELS)


def test_the_form_finds_the_coefficients_that_made_the_data():
    rng = np.random.default_rng(0)
    capability, difficulty = rng.uniform(size=40_000), rng.normal(size=40_000)
    completed = (rng.uniform(size=40_000) < sigmoids(4.0 * capability - 1.0 * difficulty - 1.5)).astype(float)
    form = fit_form(capability, difficulty, completed)
    assert (form.a, form.b, form.c) == pytest.approx((4.0, -1.0, -1.5), abs=0.15)


def test_capability_helps_and_difficulty_hurts(fitted):
    for form in fitted.forms.values():
        assert form.a > 0 > form.b


def test_the_difficulty_of_unseen_prompts_is_found(fitted):
    report = measure(fitted, TEST, TEST_DESIGN, TEST.capabilities(PROFILES), LABELS)
    assert report["pearson"]["all"] > 0.7
    assert report["answers"] == 6 * len(TEST.texts)
    assert report["estimated"]["auc"] > 0.8


def test_the_form_fitted_on_estimates_is_flatter_and_better_calibrated_where_estimates_are_poor():
    rng = np.random.default_rng(1)
    true, capability = rng.normal(size=20_000) * 2.0, rng.uniform(size=20_000)
    completed = (rng.uniform(size=20_000) < sigmoids(4.0 * capability - true - 1.5)).astype(float)
    estimated = 0.3 * true + rng.normal(size=20_000) * 0.5
    served, seed = fit_form(capability, estimated, completed), fit_form(capability, true, completed)
    ours, theirs = (scores_of(form_mu(form, capability, estimated), completed) for form in (served, seed))
    assert ours["brier"] < theirs["brier"]
    assert ours["ece"] < theirs["ece"]


def test_unprofiled_subjects_change_difficulty_only(fitted):
    agents = {"agent/plain", "agent/careful"}
    capability = TRAIN.capabilities(PROFILES)
    is_agent = np.isin(np.array(TRAIN.models)[TRAIN.model], sorted(agents))
    assert np.isnan(capability[is_agent]).all()
    # Same pass rates, other agents: whatever an agent's own ability, no coefficient moves.
    swapped = TRAIN.completed.copy()
    first, second = (TRAIN.model == TRAIN.models.index(name) for name in sorted(agents))
    swapped[first], swapped[second] = TRAIN.completed[second], TRAIN.completed[first]
    assert not np.array_equal(swapped, TRAIN.completed)
    again = fit(replace(TRAIN, completed=swapped), DESIGN, capability, LABELS)
    assert again.forms == fitted.forms
    # Agents that complete less make prompts harder, and reach the forms by way of difficulty alone.
    failing = np.where(is_agent, 0.0, TRAIN.completed)
    harder = fit(replace(TRAIN, completed=failing), DESIGN, capability, LABELS)
    assert np.nanmean(harder.target) > np.nanmean(fitted.target)
    rebuilt = fit_form(capability, harder.out_of_fold[TRAIN.prompt], TRAIN.completed)
    assert harder.forms["estimated"] == rebuilt


def test_swapping_profiled_models_does_move_the_coefficients(fitted):
    worst, best = (TRAIN.model == TRAIN.models.index(f"synthetic/{name}") for name in ("small", "huge"))
    swapped = TRAIN.completed.copy()
    swapped[worst], swapped[best] = TRAIN.completed[best], TRAIN.completed[worst]
    again = fit(replace(TRAIN, completed=swapped), DESIGN, TRAIN.capabilities(PROFILES), LABELS)
    assert again.forms["estimated"].a < fitted.forms["estimated"].a - 1.0


def test_an_anchor_pulls_prompts_like_it_towards_its_own_difficulty():
    greeting = designed(["Hi!"], ENCODER)
    target, fold = TRAIN.difficulty_targets(LABELS), fold_of(TRAIN.groups)
    plain, easy, hard = (
        fit_ridge_by_folds(DESIGN, target, fold, UNFADED, anchors)[0].predict(greeting)[0]
        for anchors in (None, Anchors(greeting, np.array([-3.9])), Anchors(greeting, np.array([3.9])))
    )
    assert easy < hard
    assert abs(hard - 3.9) < abs(plain - 3.9)


def test_the_model_serves_what_was_fitted(fitted):
    model = model_of(fitted, ENCODER, PROFILES, {"threshold": 0.75})
    for row in range(5):
        served = model.predict(DESIGN[row], list(PROFILES))
        assert served[0].difficulty == pytest.approx(fitted.head.predict(DESIGN[[row]])[0])
    model.require_encoder("none", 0)


def test_too_little_to_learn_from_is_said():
    few = corpus_of(synthetic_outcomes(1, prompts=10))
    with pytest.raises(ValueError, match="at least 20 prompts answered by 3 models or more, got 10"):
        fit(few, designed(few.texts, ENCODER), few.capabilities(PROFILES), LABELS)
    with pytest.raises(ValueError, match="at least 2 models of different gpqa_diamond and livecodebench"):
        fit(TRAIN, DESIGN, TRAIN.capabilities({}), LABELS)
    upside_down = {
        name: Profile(name, {"gpqa_diamond": 100.0 - 100.0 * one.capability})
        for name, one in PROFILES.items()
    }
    with pytest.raises(ValueError, match="do not order models by their benchmarks"):
        fit(TRAIN, DESIGN, TRAIN.capabilities(upside_down), LABELS)
