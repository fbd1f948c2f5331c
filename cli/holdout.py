"""`x25 eval-model-holdout`: predict each model as if nobody had ever recorded it."""

from typing import Annotated, Any

import typer
from rich.table import Column, Table

from .console import AsJson, out, print_json
from .sweep import CapabilityFrom, From
from .workshop import (
    BenchmarkProfiles,
    Cache,
    Dataset,
    EncoderSetting,
    FitRequest,
    MinModels,
    PassrateFloor,
    Threshold,
    progress_bar,
    workshop_errors,
)

Models = Annotated[
    str | None, typer.Option("--holdout-models", help="Models to leave out, separated by commas [all].")
]


def eval_model_holdout(
    dataset: Dataset,
    benchmark_profiles: BenchmarkProfiles = None,
    holdout_models: Models = None,
    capability_from: From = CapabilityFrom.profiles,
    threshold: Threshold = 0.75,
    passrate_floor: PassrateFloor = 0.02,
    min_models: MinModels = 3,
    encoder: EncoderSetting = None,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Leave one model at a time out of every part of the fit and predict its answers from its capability alone.

    The prompts are unseen too: their difficulty is estimated out of fold.
    """
    names = None if holdout_models is None else [one.strip() for one in holdout_models.split(",")]
    with workshop_errors(), progress_bar() as step:
        from ..training.fit.model_holdout import evaluate  # noqa: PLC0415 - loaded only where it is used

        asked = FitRequest(dataset, benchmark_profiles, encoder, cache, threshold, passrate_floor, min_models)
        report = evaluate(asked.options(), capability_from.value, names, step)
    if as_json:
        print_json(report)
    else:
        show(report)


def show(report: dict[str, Any]) -> None:
    """Print each model's figures, the macro means and the published ones."""
    columns = ("answers", "completed", "AUC", "Brier", "ECE", "seed AUC", "seed Brier", "seed ECE")
    table = Table(Column("model left out", no_wrap=True), *columns)
    for name, one in report["models"].items():
        table.add_row(name, f"{one['answers']:,}", f"{one['completed']:.1%}", *_figures(one))
    table.add_section()
    table.add_row("macro mean", "", "", *_figures(report["macro"]))
    out.print(table)
    published = ", ".join(f"{auc} ({what})" for what, auc in report["published_macro_auc"].items())
    out.print(f"published macro AUC of the seed system, on its own data: {published}", highlight=False)


def _figures(forms: dict[str, Any]) -> list[str]:
    return [f"{forms[form][key]:.3f}" for form in ("estimated", "seed") for key in ("auc", "brier", "ece")]
