"""`x25 replay`: what learning costs and finds, on recorded outcomes with bandit feedback."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from .console import out, settings_for
from .workshop import Cache, EncoderSetting, progress_bar, workshop_errors

Stream = Annotated[
    Path,
    typer.Option("--stream", exists=True, file_okay=False, help="Folder of recorded outcomes to replay."),
]
Warm = Annotated[
    Path | None,
    typer.Option(
        "--warm", exists=True, file_okay=False,
        help="Folder the prompt model is fitted on; the stream's own is split by groups [none: cold].",
    ),
]  # fmt: skip
Rotate = Annotated[
    bool, typer.Option("--rotate", help="Stream every prompt, predicted by a fit on the other four fifths.")
]
Models = Annotated[
    str | None, typer.Option(help="Arms, cheapest first, separated by commas [the published three].")
]
Ceilings = Annotated[
    list[float] | None, typer.Option("--ceiling", help="Mean dollars a call; repeatable [six rungs].")
]
Drifts = Annotated[
    list[str] | None,
    typer.Option(
        "--drift", help="frontier-worse, mid-worse, price-cut, new-model, steady or none; repeatable [all]."
    ),
]
Loops = Annotated[
    list[str] | None, typer.Option("--loop", help="Tier panel to run the full loop on; repeatable [none].")
]
Feedback = Annotated[
    list[str] | None,
    typer.Option("--feedback", help="Tier panel to measure feedback on; repeatable [none]."),
]


def replay(
    stream: Stream,
    warm: Warm = None,
    rotate: Rotate = False,
    source: Annotated[str, typer.Option(help="Source within the folders.")] = "paretobandit",
    models: Models = None,
    newcomer: Annotated[
        str | None, typer.Option(help="Model that arrives in new-model [google/gemini-2.5-flash].")
    ] = None,
    orders: Annotated[int, typer.Option(min=1, help="Random orders of the stream.")] = 20,
    ceiling: Ceilings = None,
    drift: Drifts = None,
    loop: Loops = None,
    feedback: Feedback = None,
    loop_orders: Annotated[int, typer.Option(min=1, help="Orders of each full loop.")] = 20,
    loop_calls: Annotated[int, typer.Option(min=50, help="Calls of each full loop.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of orders and draws.")] = 7,
    encoder: EncoderSetting = None,
    cache: Cache = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write figures and curves here.")] = None,
) -> None:
    """Replay recorded outcomes to learners that see the reward of the arm they chose and nothing else."""
    from ..training.replay.ladder import CEILINGS_USD, PUBLISHED_STREAM  # noqa: PLC0415 - loaded only where used
    from ..training.replay.report import NEWCOMER, SOURCE, Request  # noqa: PLC0415

    if drift is None:
        from ..training.replay.drift import SCENARIOS  # noqa: PLC0415

        drift = list(SCENARIOS)
    arms = tuple(models.split(",") if models else PUBLISHED_STREAM)
    is_published = source == SOURCE and models is None
    with workshop_errors():
        request = Request(
            stream_dir=stream, warm_dir=warm, rotate=rotate, source=source, models=arms,
            newcomer=newcomer or (NEWCOMER if is_published else None), orders=orders, seed=seed,
            ceilings_usd=tuple(ceiling or CEILINGS_USD), drifts=tuple(one for one in drift if one != "none"),
            panels=tuple(loop or ()), feedback=tuple(feedback or ()), loop_orders=loop_orders,
            loop_calls=loop_calls, cache=cache,
        )  # fmt: skip
        report = _measure(request, encoder)
    _show(report, json_out)


def _show(report: dict[str, Any], json_out: Path | None) -> None:
    if json_out is not None:
        json_out.parent.mkdir(parents=True, exist_ok=True)
        json_out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for table in tables(report):
        out.print(table)


def _measure(request: Any, encoder: str | None) -> dict[str, Any]:
    from ..training.fit.corpus import training_encoder  # noqa: PLC0415
    from ..training.replay.report import replay as measure  # noqa: PLC0415

    setting = encoder if encoder is not None else settings_for().encoder
    with progress_bar() as step:
        return measure(request, training_encoder(setting), step)


def tables(report: dict[str, Any]) -> list[Table]:
    """Return the report for the terminal."""
    found = [regret_table(report), ladder_table(report)]
    found += [drift_table(name, figures) for name, figures in report["drift"].items()]
    found += [loop_table(name, figures) for name, figures in report["loop"].items()]
    found += [repair_table(name, figures) for name, figures in report["repair"].items()]
    return found + [feedback_table(name, figures) for name, figures in report.get("feedback", {}).items()]


def regret_table(report: dict[str, Any]) -> Table:
    """Return one row a learner."""
    stream, warm = report["stream"], report["warm"]
    fitted = "cold" if warm is None else f"warm on {warm['prompts']:,} prompts ({warm['way']})"
    title = f"{stream['source']}: {stream['prompts']:,} prompts, {report['orders']} orders, {fitted}"
    table = Table("learner", "reward", "regret", "± order", "worst", "at 200", title=title)
    for name, row in report["regret"].items():
        table.add_row(
            name, f"{row['reward']:.4f}", f"{row['regret']:.1f}", f"{row['regret_sd']:.1f}",
            f"{row['worst_order']:.1f}", f"{row['at_200']:.1f}",
        )  # fmt: skip
    return table


def ladder_table(report: dict[str, Any]) -> Table:
    """Return one row a ceiling."""
    table = Table(
        "ceiling $",
        "reward",
        "static mixture",
        "published",
        "spent / ceiling",
        "most",
        title="spending ceilings",
    )
    for row in report["ladder"]:
        published = row["published"]
        table.add_row(
            f"{row['ceiling_usd']:g}", f"{row['reward']:.4f}", f"{row['static_mixture']:.4f}",
            "" if published is None else f"{published:.3f}", f"{row['spend_ratio_mean']:.4f}",
            f"{row['spend_ratio_max']:.4f}",
        )  # fmt: skip
    return table


_STEPS = {
    "detection_steps": "left after", "calls_to_come_back": "back after", "steps_to_take_up": "taken up after",
    "steps_to_stable_share": "stable after",
}  # fmt: skip


def drift_table(name: str, figures: dict[str, Any]) -> Table:
    """Return one row a learner."""
    steps = [key for key in _STEPS if any(key in row for row in figures.values())]
    table = Table(
        "learner", "rewards by third", "shares by third", *(_STEPS[key] for key in steps), title=name
    )
    for learner, row in figures.items():
        table.add_row(
            learner, " ".join(f"{one:.4f}" for one in row["phase_rewards"]),
            " ".join(f"{one:.2f}" for one in row["phase_shares"]),
            *(_calls(row, key) for key in steps),
        )  # fmt: skip
    return table


def _calls(row: dict[str, Any], key: str) -> str:
    """Return a number of calls, with its interval where it has one."""
    shown, *ends = (
        "never" if one is None else f"{one:g}" for one in (row.get(key), *row.get(f"{key}_ci95", ()))
    )
    return f"{shown} [{', '.join(ends)}]" if ends else shown


def loop_table(name: str, figures: dict[str, Any]) -> Table:
    """Return utility by window of calls, and in brackets how far below the ceiling."""
    gaps = figures["below_ceiling"]
    priors = [prior for prior in figures if prior != "below_ceiling"]
    windows = list(figures[priors[0]])
    table = Table("prior", *windows, title=f"full loop, {name}: utility in points (below the ceiling)")
    for prior in priors:
        shown = [
            f"{figures[prior][window]:.1f}"
            + (f" ({gaps[prior][window]['mean']:.1f})" if prior in gaps else "")
            for window in windows
        ]
        table.add_row(prior, *shown)
    return table


def repair_table(name: str, figures: dict[str, Any]) -> Table:
    """Return one row a learner: what a model that breaks and is repaired costs the whole loop."""
    title = f"full loop, {name}: {figures['model']} breaks and is repaired"
    table = Table("learner", "utility by third", "shares by third", "back after", "return adds", title=title)
    for learner, row in figures["learners"].items():
        low, high = row["utility_of_return_ci95"]
        table.add_row(
            learner, " ".join(f"{one:.1f}" for one in row["utility"]),
            " ".join(f"{one:.2f}" for one in row["shares"]), _calls(row, "calls_to_come_back"),
            f"{row['utility_of_return']:+.2f} [{low:+.2f}, {high:+.2f}]",
        )  # fmt: skip
    return table


def feedback_table(name: str, figures: dict[str, Any]) -> Table:
    """Return one row a prior: what a weak judge loses, and what labels on some of its calls add to that."""
    labellers = list(next(iter(figures.values()))["added"])
    title = f"feedback, {name}: points of utility beside a weak judge without labels"
    table = Table("prior", "strong judge", *labellers, "recovered", title=title)
    for prior, row in figures.items():
        recovered = row["recovered"]
        table.add_row(
            prior, _points(row["lost"]), *(_points(row["added"][labeller]) for labeller in labellers),
            f"{recovered['share']:.2f} [{recovered['low']:.2f}, {recovered['high']:.2f}]",
        )  # fmt: skip
    return table


def _points(figures: dict[str, float]) -> str:
    return f"{figures['mean']:+.2f} [{figures['low']:+.2f}, {figures['high']:+.2f}]"
