import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from x25.state.errors import ConfigError
from x25.training.evaluation.report import choose_panels, evaluate_panels
from x25.training.evaluation.run import Request, steps_of


def sha256(folder):
    return hashlib.sha256((folder / "outcomes" / "made.parquet").read_bytes()).hexdigest()


def test_a_report_says_what_it_was_made_of(report, train_dir, test_dir, encoder):
    assert report["schema"] == 1
    assert report["train"] == {"made": sha256(train_dir)}
    assert report["test"] == {"made": sha256(test_dir)}
    assert report["encoder"] == encoder.fingerprint
    assert report["seeds"] == 1
    age = datetime.now(UTC) - datetime.fromisoformat(report["created_at"])
    assert timedelta(0) <= age + timedelta(seconds=1) < timedelta(hours=1)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.slow
def test_panels_whose_source_is_missing_are_left_out_unless_asked_for(
    train_dir, test_dir, panels_dir, encoder
):
    steps = []
    request = Request(train_dir, test_dir, seeds=1)
    panels = choose_panels(request, folder=panels_dir)
    found = evaluate_panels(panels, request, encoder, step=lambda name, total: steps.append((name, total)))
    assert list(found["panels"]) == ["made", "rated"]
    assert found["panels"]["rated"]["title"] == "Made, rated"
    assert steps == [
        (name, steps_of(request)) for name in ("made", "rated") for _ in range(steps_of(request))
    ]
    with pytest.raises(FileNotFoundError, match="absent"):
        evaluate_panels(choose_panels(request, ["elsewhere"], panels_dir), request, encoder)


@pytest.mark.slow
def test_recorded_judges_alone_can_be_asked_for(train_dir, panels_dir, encoder):
    request = Request(train_dir, seeds=1)
    found = evaluate_panels(choose_panels(request, folder=panels_dir, only_recorded=True), request, encoder)
    assert list(found["panels"]) == ["rated"]
    assert found["test"] == "group-safe split of train"


def test_an_unknown_panel_names_the_nearest(train_dir, panels_dir):
    with pytest.raises(ConfigError, match="unknown panel 'mode'; did you mean 'made'"):
        choose_panels(Request(train_dir), ["mode"], panels_dir)


def test_folders_without_any_panel_are_refused(tmp_path, train_dir, panels_dir):
    with pytest.raises(ConfigError, match="no panel is left to evaluate"):
        choose_panels(Request(tmp_path), folder=panels_dir)
    with pytest.raises(ConfigError, match="no panel is left"):
        choose_panels(Request(train_dir, tmp_path), folder=panels_dir)
    with pytest.raises(ConfigError, match="no panel is left"):
        choose_panels(Request(train_dir), ["made"], panels_dir, only_recorded=True)


def test_only_what_every_folder_holds_is_there(train_dir, tmp_path):
    assert Request(train_dir).has("outcomes", "made")
    assert not Request(train_dir).has("responses", "made")
    assert not Request(train_dir, tmp_path).has("outcomes", "made")


def test_the_saving_at_the_quality_of_the_best_single_model_is_reported(report):
    saving = report["panels"]["made"]["matched_saving"]
    assert saving.keys() == {"perf_gain", "saved_share_frozen", "saved_share_hindsight"}
    best = max(point["score"] for point in report["panels"]["made"]["operating_points"].values())
    single = report["panels"]["made"]["baselines"]["best_single"]["score"]
    assert saving["perf_gain"] == pytest.approx(best / single - 1.0)
