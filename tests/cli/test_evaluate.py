import json

import numpy as np
import pytest
from typer.testing import CliRunner

from x25.cli import app
from x25.training.data.parquet import write_rows
from x25.training.report import page

MODELS = {"tiny": (0.5, 1e-4), "middle": (1.5, 5e-4), "large": (2.5, 3e-3)}
TIERS = dict(zip(("slm", "mid", "frontier"), MODELS, strict=True))
BASELINES = ("always frontier", "best single within budget", "xrouter classic", "x25 classic", "oracle")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder of 150 prompts that three models answered, harder ones with more steps."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    prompts, outcomes = [], []
    for row in range(150):
        steps = int(rng.integers(0, 8))
        text = f"Case {row}:" + " then add 7 and prove it" * steps
        prompts.append({
            "prompt_id": f"p{row}", "dataset": "all", "task_type": "reasoning", "group": f"g{row}", "prompt": text,
        })  # fmt: skip
        for model, (skill, cost) in MODELS.items():
            right = bool(rng.random() < 1.0 / (1.0 + np.exp(0.6 * (steps - 4) - skill)))
            outcomes.append({
                "prompt_id": f"p{row}", "model": model, "score": float(right), "correct": right,
                "cost_usd": cost * float(rng.uniform(0.8, 1.2)), "input_tokens": 30, "output_tokens": 40,
            })  # fmt: skip
    write_rows(folder / "prompts" / "made.parquet", prompts)
    write_rows(folder / "outcomes" / "made.parquet", outcomes)
    return folder


@pytest.fixture
def evaluate(tmp_path, monkeypatch, data):
    """Run the command in a folder of its own, on the features alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "panels").mkdir()
    panel = {"name": "made", "title": "Made", "source": "made", "tiers": TIERS}
    (tmp_path / "panels" / "made.yaml").write_text(json.dumps(panel))

    def run(*arguments: str):
        usual = ("--train", str(data), "--panels-dir", "panels", "--encoder", "none", "--seeds", "1")
        return CliRunner().invoke(app, ["evaluate", *usual, *arguments])

    return run


@pytest.mark.slow
def test_figures_are_shown_and_written_and_progress_stays_on_stderr(evaluate, tmp_path):
    result = evaluate("--json", "new/figures.json", "--html", "new/report.html")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "new" / "figures.json").read_text())
    assert list(report["panels"]) == ["made"]
    assert report["encoder"] == "none"
    figures = report["panels"]["made"]
    match = figures["operating_points"]["match"]
    for expected in ("made:", "AUC 0.85", "match", "budget", "prompt only match", *BASELINES,
                     f"{100 * match['score']:.1f}", f"{match['judge_calls_per_request']:.2f}",
                     f"difficulty Pearson {figures['difficulty_pearson']:.3f}"):  # fmt: skip
        assert expected in result.stdout
    assert "96/96" in result.stderr
    assert "wrote new/figures.json" in result.stderr
    assert "96/96" not in result.stdout
    assert "wrote" not in result.stdout
    written = (tmp_path / "new" / "report.html").read_text()
    assert written.startswith("<!DOCTYPE html>")
    assert "Made" in written


@pytest.mark.slow
def test_a_point_that_train_did_not_reach_is_marked(evaluate, tmp_path):
    panel = {"name": "made", "title": "Made", "source": "made", "tiers": TIERS, "match_margin_points": 90}
    (tmp_path / "panels" / "made.yaml").write_text(json.dumps(panel))
    result = evaluate()
    assert result.exit_code == 0, result.output
    assert "match (not reached on train)" in result.stdout


@pytest.mark.slow
def test_a_test_folder_and_a_judge_are_taken_as_given(evaluate, data, tmp_path):
    result = evaluate("--test", str(data), "--judge-auc", "0.95", "--json", "figures.json", "--panel", "made")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "figures.json").read_text())
    figures = report["panels"]["made"]
    assert figures["prompts"] == {"train": 150, "test": 150}
    assert figures["judge"]["description"] == "simulated judge of AUC 0.95"
    assert report["test"] == report["train"]


def test_a_folder_that_is_not_there_is_named(evaluate):
    result = evaluate("--test", "no/such/folder")
    assert result.exit_code == 2
    assert "no/such/folder" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--panel", "mode"), "unknown panel 'mode'; did you mean 'made'?"),
        (("--test", "."), "no panel is left to evaluate"),
        (("--test", ".", "--panel", "made"), "outcomes/made.parquet"),
        (("--judge", "recorded"), "no panel is left to evaluate"),
        (("--encoder", "nonsense"), "X25_ENCODER: expected"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(evaluate, arguments, sentence):
    result = evaluate(*arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout


@pytest.mark.parametrize("arguments", [("--seeds", "0"), ("--judge-auc", "0.4"), ("--judge", "nobody")])
def test_options_out_of_range_are_refused(evaluate, arguments):
    result = evaluate(*arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr


def test_a_replay_that_is_no_json_is_named(evaluate, tmp_path):
    (tmp_path / "replay.json").write_text("{")
    result = evaluate("--html", "report.html", "--replay", "replay.json")
    assert result.exit_code == 1
    assert "replay.json is not JSON" in result.stderr


def test_a_report_that_could_not_be_written_is_refused_before_the_work(evaluate, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "NEEDED", ("jinja2", "no_such_library"))
    result = evaluate("--html", "report.html", "--json", "figures.json")
    assert result.exit_code == 1
    assert "a report needs no_such_library: pip install 'x25[train]'" in " ".join(result.stderr.split())
    assert not (tmp_path / "figures.json").exists()
