"""`x25 demo`: see it learn, without a key."""

import asyncio
import socket
import tempfile
import webbrowser
from contextlib import ExitStack, suppress
from dataclasses import asdict, is_dataclass
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..client import AsyncX25, Preset
from ..demo.generated import ORG, make_items
from ..demo.items import Routed
from ..demo.report import show
from ..demo.run import Options, Report, run_demo
from ..demo.run import Progress as DemoProgress
from .console import AsJson, err, friendly_errors, out, print_json

PORT, PAGE = 8000, "http://127.0.0.1:{}/terminal/"
EVERY_S, MOST_TRICKLED = 1.5, 400


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
    stays_open: Annotated[
        bool,
        typer.Option(
            "--open", help="Leave the gateway running, with a call now and then, and show its pages."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Route prompts of one org through a real gateway to simulated models; report what it cost and what was learnt."""
    options = Options(
        calls=calls or (2200 if recorded else 600), seed=seed, concurrency=concurrency,
        optimize_for=optimize_for, recorded=recorded, port=free_port() if stays_open else 0,
    )  # fmt: skip
    with friendly_errors(), ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="x25-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        live = stack.enter_context(_Live())
        stay = partial(_stay, live, options, as_json=as_json) if stays_open else None
        report = asyncio.run(run_demo(options, folder, DemoProgress(live.phase, live.step), stay))
    if not stays_open:
        _tell(report, as_json=as_json)
        err.print(f"the same as pages: [bold]x25 demo --open[/bold] leaves it running at {PAGE.format(PORT)}")
    if not report["chain"]["intact"]:
        raise typer.Exit(1)


async def _stay(live: "_Live", options: Options, report: Report, url: str, *, as_json: bool) -> None:
    live.stop()
    _tell(report, as_json=as_json)
    await remain(url, options)


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json(plain(report))
    else:
        show(report, out)


def free_port() -> int:
    """Return the gateway's usual port; 0, any free one, where that is taken."""
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT


async def remain(url: str, options: Options) -> None:
    """Name the pages, and make a call now and then, so that they show something new, until Ctrl-C."""
    if find_spec("nicegui") is None:
        err.print("the pages need an extra: pip install 'x25[terminal]'")
        return
    err.print(f"terminal on [bold]{url}/terminal/[/bold]  (simulated calls go on; stop: Ctrl-C)")
    with suppress(webbrowser.Error):
        webbrowser.open(f"{url}/terminal/")
    agent = AsyncX25(org=ORG, optimize_for=options.optimize_for, gateway_url=url)
    try:
        for item in cycle(make_items(MOST_TRICKLED, options.seed + 1)):
            await agent.complete(item.prompt)
            await asyncio.sleep(EVERY_S)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return
    finally:
        await agent.close()


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

    def stop(self) -> None:
        """Show nothing more."""
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
