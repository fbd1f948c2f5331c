import json

SMALL = ("--dataset", "synthetic:42", "--encoder", "none")


def test_every_model_is_left_out_with_auc_brier_and_ece(x25) -> None:
    result = x25("eval-model-holdout", *SMALL, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert len(report["models"]) == 6
    assert set(report["macro"]["estimated"]) == {"auc", "brier", "ece"}
    assert 0.7 < report["macro"]["estimated"]["auc"] < 1.0
    assert set(report["published_macro_auc"].values()) == {0.658, 0.719}


def test_the_table_names_the_models_and_the_published_figures(x25) -> None:
    result = x25("eval-model-holdout", *SMALL, "--holdout-models", "synthetic/huge, synthetic/tiny")
    assert result.exit_code == 0, result.stderr
    assert "synthetic/huge" in result.stdout
    assert "synthetic/medium" not in result.stdout
    assert "macro mean" in result.stdout
    assert "0.719" in result.stdout


def test_capability_from_datasets_needs_more_than_one_task(x25) -> None:
    result = x25("eval-model-holdout", *SMALL, "--capability-from", "datasets")
    assert result.exit_code == 1
    assert "--capability-from datasets" in result.stderr
