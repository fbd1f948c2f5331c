from dataclasses import replace

import numpy as np
import pytest

from x25.routing.plan.threshold import ThresholdRule, choose_set
from x25.state.records import Arm
from x25.training.data.synthetic_outcomes import synthetic_outcomes
from x25.training.fit.corpus import corpus_of
from x25.training.fit.irt_from_outcomes import TrainOptions
from x25.training.fit.threshold_sweep import (
    Candidates,
    Grid,
    baselines,
    candidates_of,
    choose,
    estimated_costs,
    outcome_of,
    sweep,
)

OPTIONS = TrainOptions(datasets=["synthetic:42"], encoder="none", with_anchors=False)
TRAIN, TEST = (corpus_of(part) for part in synthetic_outcomes(42).split_by_prompt())


def some_candidates(prompts=60, models=5, seed=0):
    rng = np.random.default_rng(seed)
    mu = rng.uniform(size=(prompts, models)).round(1)
    mu[rng.uniform(size=mu.shape) < 0.2] = np.nan
    mu[:, 0] = rng.uniform(size=prompts)
    cost = np.where(np.isnan(mu), np.nan, rng.integers(1, 6, size=mu.shape) / 1_000)
    return Candidates(mu, cost, np.where(np.isnan(mu), np.nan, rng.integers(0, 2, size=mu.shape)), cost * 2)


@pytest.fixture(scope="module")
def report():
    return sweep(OPTIONS, Grid(thresholds=(0.0, 0.5, 0.7, 0.9, 1.0)))


def arm(name, mu, usd):
    return Arm(
        model_id=name, tier="slm", provider="p", expected_cost_nusd=round(usd * 1e9), expected_latency_ms=1.0,
        completion_prob=mu, input_usd_per_mtok=1.0, output_usd_per_mtok=1.0, context_tokens=1_000,
        max_output_tokens=100,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "margin"), [(0.0, 0.0), (0.5, 0.05), (0.7, 0.05), (0.95, 0.3), (1.0, 0.0)]
)
def test_all_prompts_at_once_choose_as_the_rule_that_serves(threshold, margin):
    candidates = some_candidates()
    chosen = choose(candidates, threshold, margin)
    rule = ThresholdRule(completion_threshold=threshold, fallback_quality_margin=margin)
    for row, column in enumerate(chosen):
        there = np.flatnonzero(np.isfinite(candidates.mu[row]))
        arms = [arm(f"m{one}", candidates.mu[row, one], candidates.estimated_usd[row, one]) for one in there]
        served = choose_set(arms, rule)
        assert candidates.estimated_usd[row, column] == pytest.approx(served.cost_nusd / 1e9)
        assert candidates.mu[row, column] == pytest.approx(served.completion_prob)


def test_realised_costs_never_reach_a_decision():
    costs = estimated_costs(TRAIN, TEST)
    mu = np.random.default_rng(0).uniform(size=len(TEST.prompt))
    shuffled = np.random.default_rng(1).permutation(TEST.cost_usd[np.isfinite(TEST.cost_usd)]) * 1_000
    other = replace(TEST, cost_usd=TEST.cost_usd.copy())
    other.cost_usd[np.isfinite(TEST.cost_usd)] = shuffled
    assert np.array_equal(estimated_costs(TRAIN, other), costs, equal_nan=True)
    for threshold in (0.2, 0.5, 0.8):
        before, after = (candidates_of(corpus, mu, costs) for corpus in (TEST, other))
        chosen = choose(before, threshold)
        assert np.array_equal(chosen, choose(after, threshold))
        assert (
            outcome_of(before, chosen, TEST)["average_cost_usd"]
            != outcome_of(after, chosen, other)["average_cost_usd"]
        )


def test_a_model_without_a_price_is_no_candidate():
    candidates = candidates_of(TEST, np.full(len(TEST.prompt), 0.5), estimated_costs(TRAIN, TEST))
    agents = [TEST.models.index(name) for name in TEST.models if name.startswith("agent/")]
    assert len(agents) == 2
    assert np.isnan(candidates.mu[:, agents]).all()


def test_there_is_one_entry_a_threshold_with_calibration(report):
    assert [one["threshold"] for one in report["thresholds"]] == [0.0, 0.5, 0.7, 0.9, 1.0]
    assert sum(one["count"] for one in report["calibration"]) == 6 * len(TEST.texts)
    assert 0.0 <= report["ece"] < 0.2
    assert report["prompts"] == len(TEST.texts)


def test_a_higher_threshold_buys_completion(report):
    lowest, highest = report["thresholds"][0], report["thresholds"][-2]
    assert highest["average_cost_usd"] > lowest["average_cost_usd"]
    assert highest["completion"] > lowest["completion"]
    shares = [sum(one["chosen"].values()) for one in report["thresholds"]]
    assert shares == pytest.approx([1.0] * 5, abs=1e-3)


def test_threshold_zero_is_always_cheapest(report):
    first = report["thresholds"][0]
    assert first["average_cost_usd"] == report["baselines"]["cheapest"]["average_cost_usd"]
    assert first["chosen"] == {"synthetic/tiny": 1.0}


def test_the_oracle_completes_most_at_less_than_the_dearest_costs(report):
    named = report["baselines"]
    assert named["oracle"]["completion"] >= max(one["completion"] for one in report["thresholds"])
    assert named["oracle"]["average_cost_usd"] < named["dearest"]["average_cost_usd"]
    assert named["cheapest"]["completion"] < named["random"]["completion"] < named["likeliest"]["completion"]


def test_baselines_know_what_was_completed():
    candidates = some_candidates(seed=4)
    named = baselines(candidates, TEST)
    best = np.nan_to_num(candidates.completed).max(axis=1).mean()
    assert named["oracle"]["completion"] == pytest.approx(best, abs=1e-4)


def test_the_published_recipe_can_be_swept_too():
    seed = sweep(OPTIONS, Grid(thresholds=(0.7,), form="seed"))
    assert seed["form"] == "seed"
    assert 0.5 < seed["auc"] < 1.0


@pytest.mark.parametrize("fields", [{"thresholds": (1.2,)}, {"thresholds": ()}, {"margin": -0.1}])
def test_a_grid_out_of_range_is_refused(fields):
    with pytest.raises(ValueError, match="expected"):
        Grid(**fields)


def test_without_two_candidates_there_is_nothing_to_sweep():
    with pytest.raises(ValueError, match="at least 2 models of known capability and cost, got none"):
        candidates_of(TEST, np.full(len(TEST.prompt), np.nan), estimated_costs(TRAIN, TEST))
