import pytest

from x25.training.data.recorded import read_recorded
from x25.training.data.synthetic_recorded import TIERS, main, write_synthetic
from x25.training.evaluation.panels import load_panels

pytest.importorskip("pyarrow", reason="needs the train extra")


def test_the_folder_is_read_as_recorded_outcomes_and_its_panel_covers_it(tmp_path):
    panels = write_synthetic(tmp_path, prompts=60)
    recorded = read_recorded(tmp_path, "synthetic")
    (panel,) = load_panels(folder=panels)
    assert panel.models == list(TIERS.values())
    assert len(recorded) == 60
    assert panel.covers(recorded).all()
    assert len(set(recorded.datasets)) == 3


def test_dearer_models_answer_better(tmp_path):
    write_synthetic(tmp_path, prompts=240)
    recorded = read_recorded(tmp_path, "synthetic")
    columns = recorded.columns(list(TIERS.values()))
    small, middle, large = recorded.scores[:, columns].mean(axis=0)
    assert small < middle < large
    costs = recorded.costs_usd[:, columns].mean(axis=0)
    assert costs[0] < costs[1] < costs[2]


def test_the_command_says_what_to_run_next(tmp_path, capsys):
    main([str(tmp_path), "--prompts", "30"])
    evaluate, replay = capsys.readouterr().out.splitlines()
    assert evaluate == f"x25 evaluate --train {tmp_path} --panels-dir {tmp_path / 'panels'}"
    assert replay == (
        f"x25 replay --stream {tmp_path} --rotate --source synthetic "
        "--models synthetic/tiny,synthetic/medium,synthetic/huge"
    )
