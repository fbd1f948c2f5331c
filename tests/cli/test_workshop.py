import pytest
import typer

from x25.cli.workshop import progress_bar, train_options, workshop_errors
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


def test_options_travel_unchanged():
    options = train_options(["synthetic:1"], "a.yaml", (0.5, 0.1, 2), (0.3, 7, True), "none", None)
    assert isinstance(options, TrainOptions)
    assert (options.labels.threshold, options.labels.passrate_floor, options.labels.least_models) == (
        0.5,
        0.1,
        2,
    )
    assert (options.test_size, options.seed, options.split) == (0.3, 7, "fixed")
    assert (options.datasets, options.benchmark_profiles, options.encoder) == (
        ["synthetic:1"],
        "a.yaml",
        "none",
    )


def test_phases_are_told_apart():
    with progress_bar() as step:
        for phase in ("reading", "fitting"):
            for done in range(3):
                step(phase, done, 2)
