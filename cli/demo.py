"""`x25 demo`: see it learn, without a key."""

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..client import Preset
from ..demo.items import Routed
from ..demo.report import show
from ..demo.run import Options, run_demo
from ..demo.run import Progress as DemoProgress
from .console import AsJson, err, friendly_errors, out, print_json


def demo(
    calls: Annotated[
        int | None, typer.Option(min=10, help="Prompts to route [600; 2200 with --recorded].")
    ] = None,
    recorded: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Replay recorded outcomes of real models from this folder."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of prompts, answers and draws.")] = 7,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Calls under way at once.")] = 8,
    optimize_for: Annotated[Preset, typer.Option(help="What matters most.")] = "balanced",
    keep: Annotated[Path | None, typer.Option(help="Keep the gateway's state in this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Route prompts of one org through a real gateway to simulated models; report what it cost and what was learnt."""
    options = Options(
        calls=calls or (2200 if recorded else 600), seed=seed, concurrency=concurrency,
        optimize_for=optimize_for, recorded=recorded,
    )  # fmt: skip
    with friendly_errors(), ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="x25-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        live = stack.enter_context(_Live())
        report = asyncio.run(run_demo(options, folder, DemoProgress(live.phase, live.step)))
    if as_json:
        print_json(plain(report))
    else:
        show(report, out)
    if not report["chain"]["intact"]:
        raise typer.Exit(1)


def plain(value: Any) -> Any:
    """Return a report with its estimates as objects of mean, low and high."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


class _Live:
    """The progress display: a bar a phase, and for routing the running tier mix, cost and score."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}{task.fields[note]}"), BarColumn(bar_width=8), MofNCompleteColumn(),
            TimeElapsedColumn(), console=err,
        )  # fmt: skip
        self._task: TaskID | None = None
        self._routed: list[Routed] = []

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def phase(self, name: str, steps: int) -> None:
        """Begin a bar."""
        self._routed = []
        self._task = self._progress.add_task(name, total=steps, note="")

    def step(self, routed: Routed | None) -> None:
        """Advance the bar by one."""
        assert self._task is not None
        if routed is not None:
            self._routed.append(routed)
        self._progress.update(self._task, advance=1, note=self._note())

    def _note(self) -> str:
        last = self._routed[-100:]
        if not last:
            return ""
        mix = "/".join(
            f"{100 * sum(one.tier == tier for one in last) // len(last)}"
            for tier in ("slm", "mid", "frontier")
        )
        usd = sum(one.total_usd for one in self._routed)
        score = sum(one.score for one in last) / len(last)
        # On a line of its own, so that 80 columns hold it.
        return f"\n{mix} % slm/mid/frontier, ${usd:.3f}, {score:.0%} right"
