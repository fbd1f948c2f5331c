from pathlib import Path

import pytest
import typer

from x25.cli.workshop import FitRequest, counting_bar, progress_bar, workshop_errors
from x25.training.fit.corpus import Labels
from x25.training.fit.irt_from_outcomes import TrainOptions


def test_a_fault_of_the_data_is_one_sentence_and_a_bug_keeps_its_traceback(capsys):
    for fault in (
        ValueError("line 3 is wrong"),
        FileNotFoundError("no such file"),
        ModuleNotFoundError("x25[train]"),
    ):
        with pytest.raises(typer.Exit), workshop_errors():
            raise fault
        assert str(fault) in capsys.readouterr().err
    with pytest.raises(KeyError), workshop_errors():
        raise KeyError("bug")


def test_what_was_asked_for_travels_unchanged():
    asked = FitRequest(
        ["synthetic:1"], "a.yaml", "none", Path("inputs"), 0.5, 0.1, 2, 0.3, 7, is_split_fixed=True
    )
    options = asked.options()
    labels = Labels(threshold=0.5, passrate_floor=0.1, least_models=2)
    assert options == TrainOptions(
        datasets=["synthetic:1"], benchmark_profiles="a.yaml", labels=labels, test_size=0.3, seed=7, split="fixed",
        encoder="none", encoder_options=options.encoder_options, cache=Path("inputs"),
    )  # fmt: skip


def test_without_an_encoder_the_settings_choose(monkeypatch):
    monkeypatch.setenv("X25_ENCODER", "none")
    assert FitRequest(["synthetic:1"]).options().encoder == "none"


def test_the_defaults_are_those_of_the_workshop():
    asked = FitRequest(["synthetic:1"], encoder="").options()
    assert asked == TrainOptions(datasets=["synthetic:1"], encoder_options=asked.encoder_options)


def test_phases_are_told_apart():
    with progress_bar() as step:
        for phase in ("reading", "fitting"):
            for done in range(3):
                step(phase, done, 2)


def test_a_phase_counts_its_calls(capsys):
    with counting_bar() as step:
        for _ in range(3):
            step("panel", 3)
    assert "3/3" in capsys.readouterr().err
