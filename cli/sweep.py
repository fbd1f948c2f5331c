"""`x25 sweep-thresholds`: cost against completion over a grid of thresholds."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from .console import AsJson, out, print_json
from .workshop import (
    BenchmarkProfiles,
    Cache,
    Dataset,
    EncoderSetting,
    FitRequest,
    FixedSplit,
    MinModels,
    PassrateFloor,
    Seed,
    TestSize,
    Threshold,
    calibration_rows,
    progress_bar,
    workshop_errors,
)

Thresholds = Annotated[
    str | None, typer.Option(help="Completion thresholds, separated by commas [0 and 0.3 to 1].")
]
Margin = Annotated[
    float,
    typer.Option("--fallback-quality-margin", help="Where nobody is likely enough: how far below the best."),
]


class CapabilityFrom(StrEnum):
    """Where a model's capability comes from."""

    profiles = "profiles"
    datasets = "datasets"


class Form(StrEnum):
    """Which fit of the factored form predicts."""

    estimated = "estimated"
    seed = "seed"


From = Annotated[
    CapabilityFrom,
    typer.Option(help="Published benchmarks, or what the model completed of the source's other tasks."),
]


def sweep_thresholds(
    dataset: Dataset,
    benchmark_profiles: BenchmarkProfiles = None,
    thresholds: Thresholds = None,
    margin: Margin = 0.05,
    capability_from: From = CapabilityFrom.profiles,
    form: Annotated[
        Form, typer.Option(help="estimated is served; seed is the published recipe.")
    ] = Form.estimated,
    threshold: Threshold = 0.75,
    passrate_floor: PassrateFloor = 0.02,
    min_models: MinModels = 3,
    seed: Seed = 42,
    test_size: TestSize = 0.2,
    fixed_split: FixedSplit = False,
    encoder: EncoderSetting = None,
    cache: Cache = None,
    as_json: AsJson = False,
) -> None:
    """Fit on the training side, then route the held-out prompts by the threshold rule at every threshold.

    Decided by estimated cost; the cost reported is the realised one.
    """
    with workshop_errors(), progress_bar() as step:
        from ..training.fit.threshold_sweep import THRESHOLDS, Grid, sweep  # noqa: PLC0415 - loaded only where it is used

        levels = THRESHOLDS if thresholds is None else tuple(float(one) for one in thresholds.split(","))
        asked = FitRequest(
            dataset, benchmark_profiles, encoder, cache, threshold, passrate_floor, min_models,
            test_size, seed, fixed_split,
        )  # fmt: skip
        report = sweep(asked.options(), Grid(levels, margin, capability_from.value, form.value), step)
    if as_json:
        print_json(report)
    else:
        show(report)


def show(report: dict[str, Any]) -> None:
    """Print the frontier, the baselines and the calibration."""
    title = f"{report['prompts']:,} held-out prompts, form {report['form']}"
    table = Table(
        "threshold", "completed", "95 %", "$/1,000 calls", "estimated", "models with a tenth", title=title
    )
    for one in report["thresholds"]:
        low, high = one["completion_interval"]
        table.add_row(
            f"{one['threshold']:.2f}", f"{one['completion']:.1%}", f"{low:.1%} to {high:.1%}",
            f"{1_000 * one['average_cost_usd']:.4f}", f"{1_000 * one['average_decision_cost_usd']:.4f}",
            str(one["models_with_a_tenth"]),
        )  # fmt: skip
    for name, one in report["baselines"].items():
        table.add_row(name, f"{one['completion']:.1%}", "", f"{1_000 * one['average_cost_usd']:.4f}", "", "")
    out.print(table)
    out.print(calibration_rows(report["calibration"]))
    out.print(
        f"AUC {report['auc']:.4f}, Brier {report['brier']:.4f}, ECE {report['ece']:.4f}", highlight=False
    )
