import json
from pathlib import Path

import pytest

from x25.training.data.recorded import is_held_out
from x25.training.data.synthetic_outcomes import synthetic_outcomes, synthetic_profiles
from x25.training.fit.irt_from_outcomes import TrainOptions, prepare, rounded, split, train
from x25.training.fit.predictor import load_predictor, read_artifact

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
OPTIONS = TrainOptions(datasets=["synthetic:42"], encoder="none", with_anchors=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    output = tmp_path_factory.mktemp("trained") / "deep" / "completion.json"
    return train(OPTIONS, output), output


def test_the_report_counts_rows_prompts_and_subjects(trained):
    report, _ = trained
    assert report["counts"] == {"rows": 1_920, "prompts": 240, "subjects": 8}
    assert report["fitted_prompts"] == 192
    assert report["profiled_subjects"] == sorted(synthetic_profiles())
    assert report["profiled_answers"] == 6 * 192


def test_the_report_holds_coefficients_and_held_out_figures(trained):
    report, _ = trained
    for form in ("estimated", "seed"):
        assert report["coefficients"][form]["a"] > 0 > report["coefficients"][form]["b"]
        assert 0.7 < report["held_out"][form]["auc"] < 1.0
        assert 0.0 <= report["held_out"][form]["ece"] < 0.2
    assert report["held_out"]["pearson"]["synthetic"] > 0.7


def test_the_artifact_says_what_it_was_fitted_on(trained):
    report, output = trained
    manifest = read_artifact(output).manifest
    assert manifest["datasets"] == ["synthetic:42"]
    assert (manifest["threshold"], manifest["passrate_floor"], manifest["min_models"]) == (0.75, 0.02, 3)
    assert manifest["counts"] == report["counts"]
    assert manifest["data_sha256"] == report["data_sha256"]


def test_the_artifact_predicts_with_and_without_the_registry(trained):
    predictor = load_predictor(trained[1])
    short, long = (
        predictor.predict(prompt, ["synthetic/best", "synthetic/tiny", "anthropic/claude-opus-5"])
        for prompt in ("Compute 4 + 5", "Compute 45 * 67 - 81 * 12 + 9 * 55 - 31 * 60 * 3 - 77 + 18 * 90 * 5")
    )
    for predictions in (short, long):
        best, tiny, opus = (one.mu for one in predictions)
        assert opus > best > tiny
    assert all(easy.mu > hard.mu for easy, hard in zip(short, long, strict=True))


def test_the_same_options_give_the_same_artifact(trained, tmp_path):
    train(OPTIONS, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == trained[1].read_text()


def test_options_change_what_they_name(tmp_path):
    strict = TrainOptions(datasets=["synthetic:42"], encoder="none", seed=7, test_size=0.4)
    report = train(strict, tmp_path / "strict.json")
    assert report["fitted_prompts"] == 144
    assert report["split"] == {"kind": "drawn", "seed": 7, "test_size": 0.4, "folds": 5}


def test_benchmarks_named_later_win_over_the_synthetic_ones(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"model_id": "synthetic/tiny", "benchmarks": {"gpqa_diamond": 31}}))
    data = prepare(TrainOptions(datasets=["synthetic:42"], encoder="none", benchmark_profiles=str(path)))
    assert data.profiles["synthetic/tiny"].capability == pytest.approx(0.31)
    assert data.profiles["synthetic/best"].capability == pytest.approx(0.9)


def test_both_splits_share_no_prompt_and_the_fixed_one_goes_by_name():
    outcomes = synthetic_outcomes(42)
    for kind in ("drawn", "fixed"):
        sides = split(outcomes, TrainOptions(datasets=[], split=kind))
        train_ids, test_ids = ({row.prompt_id for row in side} for side in sides)
        assert train_ids | test_ids == {row.prompt_id for row in outcomes}
        assert not train_ids & test_ids
    assert all(is_held_out(sorted(test_ids)))


def test_progress_is_told_to_the_end(tmp_path):
    seen = []
    train(OPTIONS, tmp_path / "told.json", lambda *step: seen.append(step))
    assert ("reading prompts", 240, 240) in seen
    assert seen[-1] == ("fitting", 1, 1)


def test_what_is_written_keeps_seven_digits():
    kept = rounded({"mean": [1 / 3], "scale": [1e-9 / 3], "coef": [12345678.9], "low": 1 / 3})
    assert kept == {"mean": [0.3333333], "scale": [3.333333e-10], "coef": [12345680.0], "low": 1 / 3}


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "prompts").is_dir(), reason="the recorded outcomes are not here")
def test_recorded_outcomes_of_profiled_models_are_learnt_from(tmp_path):
    profiles = Path(__file__).resolve().parents[3] / "training" / "fit" / "profiles" / "recorded.yaml"
    options = TrainOptions(
        datasets=[f"recorded:{DATA}"], benchmark_profiles=str(profiles), split="fixed", encoder="none"
    )
    report = train(options, tmp_path / "recorded.json")
    assert report["held_out"]["pearson"]["all"] > 0.4
    assert report["held_out"]["estimated"]["ece"] < report["held_out"]["seed"]["ece"]
