import json

import pytest

from x25.training.data.recorded import is_held_out, read_recorded
from x25.training.evaluation.panels import load_panels
from x25.training.evaluation.points import QUALITY_PRICES
from x25.training.evaluation.run import Request, evaluate_panel, fit_split, steps_of

pytestmark = pytest.mark.slow

POINTS = ("match", "budget", "prompt_only_match", "prompt_only_budget")
FROZEN = ("quality_price", "is_reached_on_train", "train_score", "train_cost_usd_per_call")


@pytest.fixture(scope="module")
def made(panels_dir):
    return load_panels(["made"], panels_dir)[0]


@pytest.fixture(scope="module")
def rated(panels_dir):
    return load_panels(["rated"], panels_dir)[0]


@pytest.fixture(scope="module")
def split(made, train_dir, encoder):
    """Return the figures of two splits of the train folder, and how often progress was told."""
    steps = []
    return evaluate_panel(made, Request(train_dir, seeds=2), encoder, lambda: steps.append(1)), len(steps)


@pytest.fixture
def figures(report):
    return report["panels"]["made"]


@pytest.fixture(scope="module")
def dealt(made, train_dir, shuffled_test_dir, encoder):
    """Return the figures with the same test prompts, each with another's outcomes."""
    return evaluate_panel(made, Request(train_dir, shuffled_test_dir, seeds=1), encoder)


def test_every_figure_asked_for_is_there(figures):
    for key in ("difficulty_pearson", "ece", "auc", "brier", "by_task_type", "cost_error", "seed_form"):
        assert key in figures
    assert figures["prompts"] == {"train": 234, "test": 117}
    assert figures["models"] == {"slm": "tiny", "mid": "middle", "frontier": "large"}
    assert set(figures["operating_points"]) == set(POINTS)
    for point in figures["operating_points"].values():
        for name in ("score_delta_points", "cut"):
            low, high = point[name]["ci95"]
            assert low <= point[name]["value"] <= high
        assert 0.0 <= point["score"] <= 1.0
        assert 0.0 <= point["judge_calls_per_request"] <= 3.0
        assert sum(point["tier_share"].values()) == pytest.approx(1.0)
    for row in figures["baselines"].values():
        assert {"score", "cost_usd_per_call", "score_delta_points", "cut"} <= set(row)


def test_figures_are_strict_json(figures):
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_what_is_known_of_the_folder_is_found(figures):
    # Difficulty shows in the text, tiers differ, and the judge is right 85 times in 100.
    assert figures["difficulty_pearson"] > 0.4
    assert figures["auc"] > 0.65
    assert figures["judge"]["table_auc"] == pytest.approx(0.83, abs=0.04)
    assert max(figures["cost_error"].values()) < 0.3
    match, baselines = figures["operating_points"]["match"], figures["baselines"]
    assert match["cut"]["value"] > 0.2
    assert match["over_static_mixture_points"] > 3.0
    assert (
        baselines["always_slm"]["score"]
        < baselines["always_frontier"]["score"]
        < baselines["oracle"]["score"]
    )


def test_only_points_with_a_judge_judge(figures):
    calls = {name: point["judge_calls_per_request"] for name, point in figures["operating_points"].items()}
    assert calls["prompt_only_match"] == calls["prompt_only_budget"] == 0.0
    assert min(calls["match"], calls["budget"]) > 0.0


def test_points_are_what_the_train_curve_says(figures, made):
    curve, points = figures["curves"]["train"], figures["operating_points"]
    assert curve["quality_price"] == list(QUALITY_PRICES)
    for name in ("match", "budget"):
        place = curve["quality_price"].index(points[name]["quality_price"])
        assert curve["score"][place] == points[name]["train_score"]
        assert curve["cost_usd_per_call"][place] == points[name]["train_cost_usd_per_call"]
    assert points["budget"]["train_cost_usd_per_call"] < points["match"]["train_cost_usd_per_call"]


def test_operating_points_are_frozen_on_train(figures, dealt):
    # The outcomes of the test side are other ones: what was fitted and chosen must not move, what is measured must.
    assert dealt["curves"]["train"] == figures["curves"]["train"]
    assert dealt["judge"] == figures["judge"]
    for name in POINTS:
        before, after = figures["operating_points"][name], dealt["operating_points"][name]
        assert [before[key] for key in FROZEN] == [after[key] for key in FROZEN]
        assert before["score"] != after["score"]
    assert dealt["difficulty_pearson"] < 0.3 < figures["difficulty_pearson"]


def test_no_decision_without_a_judge_knows_the_outcome(figures, dealt):
    # Both folders hold the same prompts, all but those whose cost is unknown are covered in both.
    before, after = (one["operating_points"]["prompt_only_match"]["tier_share"] for one in (figures, dealt))
    assert before == pytest.approx(after, abs=0.04)


def test_the_same_seed_gives_the_same_figures_with_a_cold_and_a_warm_cache(
    made, train_dir, test_dir, encoder, figures, tmp_path
):
    request = Request(train_dir, test_dir, seeds=1, cache=tmp_path)
    reported = {name: value for name, value in figures.items() if name != "matched_saving"}
    assert evaluate_panel(made, request, encoder) == reported
    assert len(list(tmp_path.iterdir())) == 2
    assert evaluate_panel(made, request, encoder) == reported


def test_without_a_test_folder_each_seed_is_another_split(split):
    report, _ = split
    assert report["prompts"]["train"] + report["prompts"]["test"] == 234
    over = report["over_splits"]
    assert over["splits"] == 2
    assert over["match"]["cut"]["sd"] > 0.0
    for name in POINTS:
        assert set(over[name]) == {"score_delta_points", "cut", "over_static_mixture_points"}


def test_the_mean_over_splits_is_that_of_single_splits(split):
    report, _ = split
    cut, over = report["operating_points"]["match"]["cut"]["value"], report["over_splits"]["match"]["cut"]
    # Two values: their mean and half their distance give them back.
    assert abs(cut - over["mean"]) == pytest.approx(over["sd"])


@pytest.mark.parametrize("seed", [0, 1])
def test_a_split_keeps_groups_together_and_apart(made, train_dir, encoder, seed):
    fit = fit_split(made, Request(train_dir), encoder, seed)
    train, test = set(fit.train_prompts.groups), set(fit.test_prompts.groups)
    assert not train & test
    recorded = read_recorded(train_dir, "made")
    assert test == set(recorded.groups[is_held_out(recorded.groups, seed)])


def test_unseen_families_take_whole_datasets_out_of_training(made, train_dir, encoder):
    panel = made.model_copy(update={"unseen_families": True})
    usual = fit_split(made, Request(train_dir), encoder, 0)
    for seed in range(40):
        fit = fit_split(panel, Request(train_dir), encoder, seed)
        unseen = set(fit.test_prompts.datasets) - set(fit.train_prompts.datasets)
        if unseen:
            break
    assert set(usual.train_prompts.datasets) == {"sums", "tales", "proofs"}
    assert unseen
    assert len(fit.train_prompts) + len(fit.test_prompts) == 240


def test_progress_is_told_as_often_as_announced(split, train_dir, test_dir):
    _, steps = split
    assert (
        steps == steps_of(Request(train_dir, seeds=2)) == 2 * steps_of(Request(train_dir, test_dir, seeds=2))
    )


def test_a_recorded_judge_is_described_by_its_own_scores(rated, train_dir, test_dir, encoder):
    judge = evaluate_panel(rated, Request(train_dir, test_dir, seeds=1), encoder)["judge"]
    assert judge["recorded_pairs"] == 240 * 4
    assert 0.8 < judge["auc_at_reference_85"] <= 1.0
    assert "recorded" in judge["description"]


def test_an_auc_asked_for_replaces_the_panels_judge(made, train_dir, test_dir, encoder, figures):
    strong = evaluate_panel(made, Request(train_dir, test_dir, judge_auc=0.98, seeds=1), encoder)
    assert strong["judge"]["table_auc"] > 0.9
    assert (
        strong["operating_points"]["match"]["cut"]["value"]
        > figures["operating_points"]["match"]["cut"]["value"]
    )


def test_several_draws_of_the_judge_are_averaged(made, train_dir, test_dir, encoder):
    found = evaluate_panel(made, Request(train_dir, test_dir, seeds=3), encoder)
    assert "over_splits" not in found  # one test folder is one split
    assert found["operating_points"]["match"]["score_sd_over_judge_draws"] > 0.0
    assert found["operating_points"]["prompt_only_match"]["score_sd_over_judge_draws"] < 1e-12
