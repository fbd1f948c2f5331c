import json
import subprocess
import sys

import pytest

SMALL = ("--dataset", "synthetic:42", "--encoder", "none")


def test_the_small_corpus_is_trained_on_and_the_report_printed(x25, tmp_path) -> None:
    result = x25("train", *SMALL, "--output", tmp_path / "completion.json")
    assert result.exit_code == 0, result.stderr
    assert "1,920 rows, 240 prompts, 8 subjects" in result.stdout
    for word in ("estimated", "seed", "Pearson", "ECE", "capability"):
        assert word in result.stdout
    assert "wrote" in result.stderr


@pytest.mark.slow
def test_the_alias_of_the_seed_does_the_same(x25, tmp_path) -> None:
    reports = []
    for name in ("train", "train-irt"):
        result = x25(name, *SMALL, "--json", "--output", tmp_path / f"{name}.json")
        assert result.exit_code == 0, result.stderr
        reports.append(json.loads(result.stdout))
    assert (tmp_path / "train.json").read_text() == (tmp_path / "train-irt.json").read_text()
    assert reports[0]["counts"] == {"rows": 1_920, "prompts": 240, "subjects": 8}


def test_a_new_process_predicts_the_same_from_the_artifact(x25, tmp_path) -> None:
    path = tmp_path / "completion.json"
    assert x25("train", *SMALL, "--output", path).exit_code == 0
    program = (
        "import sys; from x25.training.fit.predictor import load_predictor\n"
        "print([one.mu for one in load_predictor(sys.argv[1]).predict('Compute 4 + 5 * 3', "
        "['synthetic/best', 'anthropic/claude-opus-5'])])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for _ in range(2)
    ]
    from x25.training.fit.predictor import load_predictor

    here = load_predictor(path).predict("Compute 4 + 5 * 3", ["synthetic/best", "anthropic/claude-opus-5"])
    assert runs == [f"{[one.mu for one in here]}\n"] * 2


def test_several_datasets_and_catalogues_are_stacked(x25, tmp_path) -> None:
    rows = "".join(f"own{row},What is {row} + 1?,{model},1\n" for row in range(20) for model in "abc")
    (tmp_path / "own.csv").write_text(f"prompt_id,prompt,model_id,score\n{rows}")
    (tmp_path / "one.json").write_text('{"model_id": "a", "benchmarks": {"gpqa_diamond": 70}}')
    (tmp_path / "two.json").write_text('{"model_id": "a", "benchmarks": {"gpqa_diamond": 80}}')
    result = x25(
        "train", *SMALL, "--dataset", f"csv:{tmp_path / 'own.csv'}", "--json", "--output", tmp_path / "out.json",
        "--benchmark-profiles", f"{tmp_path / 'one.json'},{tmp_path / 'two.json'}",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["counts"]["subjects"] == 11
    kept = {one["model_id"]: one for one in json.loads((tmp_path / "out.json").read_text())["profiles"]}
    assert kept["a"]["benchmarks"] == {"gpqa_diamond": 80}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--dataset", "parchment:x"), "expected a kind of dataset among"),
        (("--dataset", "csv:nowhere.csv"), "nowhere.csv"),
        (("--dataset", "synthetic:42", "--threshold", "1.5"), "expected threshold in (0, 1]"),
        (("--dataset", "synthetic:42", "--passrate-floor", "0.6"), "expected passrate_floor"),
        (("--dataset", "synthetic:42", "--min-models", "9"), "at least 9 models"),
        (("--dataset", "synthetic:42", "--benchmark-profiles", "nowhere.yaml"), "nowhere.yaml"),
        (("--dataset", "synthetic:42", "--encoder", "nonsense"), "X25_ENCODER: expected"),
    ],
)
def test_what_is_wrong_is_one_sentence(x25, arguments, sentence) -> None:
    result = x25("train", "--encoder", "none", *arguments)
    assert (result.exit_code, "error " in result.stderr, sentence in result.stderr) == (1, True, True), (
        result.stderr
    )


def test_without_a_dataset_the_usage_says_so(x25) -> None:
    result = x25("train")
    assert result.exit_code == 2
    assert "--dataset" in result.stderr


@pytest.mark.slow
def test_the_commands_load_the_workshop_only_when_used() -> None:
    program = (
        "import sys, x25.cli; print(sorted(name for name in sys.modules if name.startswith('x25.training')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "[]\n"
