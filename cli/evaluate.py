"""`x25 evaluate`: what routing would have saved on recorded outcomes, beside every baseline."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from ..state.errors import ConfigError
from .console import err, out, settings_for
from .workshop import EncoderSetting, counting_bar, workshop_errors

POINTS = ("match", "budget", "prompt_only_match", "prompt_only_budget")


Folder = Annotated[Path, typer.Option(exists=True, file_okay=False, help="Recorded outcomes to fit on.")]
TestFolder = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Held-out outcomes; without, a group-safe split of --train."
    ),
]
PanelsFolder = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Folder of panels; without, the bundled ones."),
]
JudgeAUC = Annotated[
    float | None,
    typer.Option(
        min=0.5, max=0.999, help="Simulate every judge at this AUC; without, what each panel names."
    ),
]
WhichJudge = Annotated[
    Literal["panel", "recorded"],
    typer.Option(help="panel: what each panel names; recorded: only panels with a recorded judge."),
]
Seeds = Annotated[
    int, typer.Option(min=1, max=100, help="Splits without --test; draws of the judge's noise.")
]
WithVerifier = Annotated[
    bool,
    typer.Option("--verifier", help="Also fit and measure the free verifier on recorded answers (minutes)."),
]
Replayed = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="JSON of `x25 replay`, for the report.")
]


def evaluate(
    train: Folder,
    test: TestFolder = None,
    panel: Annotated[
        list[str] | None, typer.Option(help="Panel to evaluate, repeatable; without, all.")
    ] = None,
    panels_dir: PanelsFolder = None,
    judge_auc: JudgeAUC = None,
    judge: WhichJudge = "panel",
    seeds: Seeds = 5,
    verifier: WithVerifier = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report to read here.")] = None,
    replay: Replayed = None,
    encoder: EncoderSetting = None,
    cache: Annotated[Path, typer.Option(help="Folder for inputs computed from prompts.")] = Path(
        ".x25/cache"
    ),
) -> None:
    """Fit on train, freeze the operating points there, report score and cost on test with intervals.

    Costs include escalations and judgements. Judges are simulated unless recorded; the models' answers are recorded.
    """
    with workshop_errors():
        from ..training.evaluation.report import choose_panels, evaluate_panels  # noqa: PLC0415 - the workshop is loaded where it is used
        from ..training.evaluation.run import Request  # noqa: PLC0415
        from ..training.fit.corpus import training_encoder  # noqa: PLC0415
        from ..training.report import require_libraries  # noqa: PLC0415

        if html is not None:
            require_libraries()  # rather than after the evaluation
        settings = settings_for()
        chosen = training_encoder(settings.encoder if encoder is None else encoder)
        request = Request(train, test, judge_auc, seeds, cache)
        panels = choose_panels(request, panel or None, panels_dir, only_recorded=judge == "recorded")
        with counting_bar() as step:
            report = evaluate_panels(panels, request, chosen, with_verifier=verifier, step=step)
        if json_out is not None:
            json_out.parent.mkdir(parents=True, exist_ok=True)
            json_out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
            err.print(f"wrote {json_out}")
        if html is not None:
            _write_html(html, report, replay)
    for name, figures in report["panels"].items():
        out.print(_table(name, figures))


def _write_html(path: Path, report: Mapping[str, Any], replay: Path | None) -> None:
    from ..training.report import write_report  # noqa: PLC0415 - the workshop is loaded where it is used

    try:
        streams = None if replay is None else json.loads(replay.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{replay} is not JSON: {error}") from error
    write_report(path, report, streams)
    err.print(f"wrote {path}")


def _table(name: str, figures: Mapping[str, Any]) -> Table:
    title = (
        f"{name}: {figures['prompts']['test']:,} test prompts, {figures['judge']['description']}\n"
        f"difficulty Pearson {figures['difficulty_pearson']:.3f}, AUC {figures['auc']:.3f}, ECE {figures['ece']:.3f}"
    )
    table = Table(title=title, title_justify="left", caption="points against always-frontier; brackets: 95 %")
    table.add_column("", no_wrap=True)
    for column in ("score %", "points", "cut %", "$/1k", "judged", "s/m/f %"):
        table.add_column(column, justify="right")
    for point in POINTS:
        table.add_row(*_point_row(point, figures["operating_points"][point]))
    table.add_section()
    for baseline, row in figures["baselines"].items():
        table.add_row(
            baseline.replace("_", " "), f"{100 * row['score']:.1f}", f"{row['score_delta_points']:+.1f}",
            f"{100 * row['cut']:.0f}", f"{1e3 * row['cost_usd_per_call']:.3f}", "", "",
        )  # fmt: skip
    return table


def _point_row(name: str, row: Mapping[str, Any]) -> list[str]:
    points, cut = row["score_delta_points"], row["cut"]
    label = name.replace("_", " ") + ("" if row["is_reached_on_train"] else " (not reached on train)")
    return [
        f"[bold]{label}[/bold]",
        f"{100 * row['score']:.1f}",
        f"{points['value']:+.1f} ({points['ci95'][0]:+.1f} … {points['ci95'][1]:+.1f})",
        f"{100 * cut['value']:.0f} ({100 * cut['ci95'][0]:.0f} … {100 * cut['ci95'][1]:.0f})",
        f"{1e3 * row['cost_usd_per_call']:.3f}",
        f"{row['judge_calls_per_request']:.2f}",
        "/".join(f"{100 * share:.0f}" for share in row["tier_share"].values()),
    ]
