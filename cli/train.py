"""`x25 train`: fit the completion model on recorded outcomes, or an org's own estimators on its call log."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from .console import AsJson, Database, err, out, print_json
from .org_fit import export, refit_from_log, roll_back
from .workshop import (
    BenchmarkProfiles,
    Cache,
    EncoderSetting,
    FitRequest,
    FixedSplit,
    MaybeDataset,
    MinModels,
    PassrateFloor,
    Seed,
    TestSize,
    Threshold,
    progress_bar,
    workshop_errors,
)

Output = Annotated[Path | None, typer.Option(help="File to write [completion.json].")]
FromLog = Annotated[
    str | None, typer.Option(metavar="ORG", help="Fit the org's own estimators on its calls instead.")
]
Rollback = Annotated[
    str | None, typer.Option(metavar="ORG", help="Serve the org's former estimators again instead.")
]
ExportLog = Annotated[
    str | None,
    typer.Option(metavar="ORG", help="Write the org's call log as training rows to --output instead."),
]
DryRun = Annotated[bool, typer.Option(help="With --from-log: fit and compare, write nothing.")]


def train(
    dataset: MaybeDataset = None,
    from_log: FromLog = None,
    rollback: Rollback = None,
    export_log: ExportLog = None,
    dry_run: DryRun = False,
    db: Database = None,
    benchmark_profiles: BenchmarkProfiles = None,
    output: Output = None,
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
    """Fit difficulty and capability on recorded outcomes and write an artifact.

    Every subject teaches how hard prompts are; only models with published benchmarks teach what capability does.
    With --from-log an org's own calls teach its own estimators, which serve only if they win on calls held out.
    """
    _require_one(dataset, from_log, rollback, export_log)
    if from_log is not None:
        refit_from_log(from_log, db, dry_run=dry_run, as_json=as_json)
    elif rollback is not None:
        roll_back(rollback, db, as_json=as_json)
    elif export_log is not None:
        export(export_log, db, output or Path(f"{export_log}.jsonl"), as_json=as_json)
    elif dataset is not None:
        asked = FitRequest(
            dataset, benchmark_profiles, encoder, cache, threshold, passrate_floor, min_models,
            test_size, seed, fixed_split,
        )  # fmt: skip
        _fit(asked, output or Path("completion.json"), as_json=as_json)


def _fit(asked: FitRequest, output: Path, *, as_json: bool) -> None:
    with workshop_errors(), progress_bar() as step:
        from ..training.fit.irt_from_outcomes import train as fit_and_write  # noqa: PLC0415 - loads scikit-free, but pyarrow

        report = fit_and_write(asked.options(), output, step)
    if as_json:
        print_json({**report, "output": str(output)})
    else:
        show(report)
        err.print(f"wrote {output} in {report['seconds']} s")


def _require_one(*given: object) -> None:
    if sum(one is not None for one in given) != 1:
        raise typer.BadParameter("expected one of --dataset, --from-log, --rollback and --export-log")


def show(report: dict[str, Any]) -> None:
    """Print counts, coefficients and held-out figures."""
    counts = report["counts"]
    out.print(
        f"{counts['rows']:,} rows, {counts['prompts']:,} prompts, {counts['subjects']:,} subjects; "
        f"fitted on {report['fitted_prompts']:,} prompts, capability on {report['profiled_answers']:,} answers of "
        f"{len(report['profiled_subjects'])} profiled models",
        highlight=False,
    )
    for reason, count in report["skipped"].items():
        out.print(f"skipped {count:,}: {reason}", highlight=False)
    held_out = report["held_out"]
    table = Table(
        "form", "a", "b", "c", "AUC", "Brier", "ECE", title="mu = sigmoid(a capability + b difficulty + c)"
    )
    for name, form in report["coefficients"].items():
        scores = held_out.get(name, {})
        measured = (f"{scores[key]:.4f}" if key in scores else "-" for key in ("auc", "brier", "ece"))
        table.add_row(name, f"{form['a']:+.4f}", f"{form['b']:+.4f}", f"{form['c']:+.4f}", *measured)
    out.print(table)
    table = Table("source", "held-out prompts", "Pearson", title="estimated against empirical difficulty")
    for source, correlation in held_out["pearson"].items():
        table.add_row(source, f"{held_out['prompts'][source]:,}", f"{correlation:.3f}")
    out.print(table)
