"""Shared manners of the commands that fit and measure: their options, their progress bar, their errors."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..graph.settings import read_environment
from ..state.errors import ConfigError
from .console import err, friendly_errors, settings_for

if TYPE_CHECKING:
    from ..training.fit.irt_from_outcomes import TrainOptions

_DATASET: Any = typer.Option(
    "--dataset",
    help="kind:path, repeatable; kinds: agentic, csv, jsonl, llmrouterbench, recorded, routerbench, "
    "xagent-labels. synthetic:SEED is a small bundled corpus.",
)
Dataset = Annotated[list[str], _DATASET]
MaybeDataset = Annotated[list[str] | None, _DATASET]
BenchmarkProfiles = Annotated[
    str | None,
    typer.Option(
        help="Files and folders of published benchmarks, separated by commas, 'bundled' = the package's own; of two "
        "figures the one of the better source, else the later one, wins. Without: bundled."
    ),
]
Threshold = Annotated[
    float, typer.Option("--threshold", help="Score from which an answer counts as completed.")
]
PassrateFloor = Annotated[
    float, typer.Option(help="Pass rates are clipped to this and one minus this before the logit.")
]
MinModels = Annotated[int, typer.Option(help="Prompts answered by fewer models have no difficulty.")]
Seed = Annotated[int, typer.Option(help="Seed of the split.")]
TestSize = Annotated[float, typer.Option(help="Share of the prompts held out.")]
FixedSplit = Annotated[
    bool, typer.Option(help="Hold out one group in five by the hash of its name instead of drawing.")
]
EncoderSetting = Annotated[
    str | None,
    typer.Option(
        "--encoder", help="As X25_ENCODER; none = features alone; without, X25_ENCODER or the bundled one."
    ),
]
Cache = Annotated[Path | None, typer.Option(help="Keep the inputs computed from prompts in this folder.")]


@dataclass(frozen=True)
class FitRequest:
    """What a command was asked to fit on; the defaults are those of the options."""

    datasets: list[str]
    benchmark_profiles: str | None = None
    encoder: str | None = None
    cache: Path | None = None
    threshold: float = 0.75
    passrate_floor: float = 0.02
    min_models: int = 3
    test_size: float = 0.2
    seed: int = 42
    is_split_fixed: bool = False

    def options(self) -> "TrainOptions":
        """Return it as the workshop takes it, with the encoder the settings name where none was asked for."""
        from ..training.fit.corpus import Labels  # noqa: PLC0415 - the workshop is loaded only where it is used
        from ..training.fit.irt_from_outcomes import TrainOptions  # noqa: PLC0415

        settings = settings_for()
        api_key = read_environment().get(settings.encoder_key_env)
        return TrainOptions(
            datasets=self.datasets,
            benchmark_profiles=self.benchmark_profiles,
            labels=Labels(self.threshold, self.passrate_floor, self.min_models),
            test_size=self.test_size,
            seed=self.seed,
            split="fixed" if self.is_split_fixed else "drawn",
            encoder=settings.encoder if self.encoder is None else self.encoder,
            encoder_options={"model": settings.encoder_model, "api_key": api_key},
            cache=self.cache,
        )


@contextmanager
def workshop_errors() -> Iterator[None]:
    """Print what is wrong with the data or missing to read it as one sentence; a bug keeps its traceback."""
    with friendly_errors():
        try:
            yield
        except (ValueError, FileNotFoundError, ModuleNotFoundError) as error:
            raise ConfigError(str(error)) from error


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar a phase on stderr; the callable is told the phase, how much is done and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        tasks: dict[str, Any] = {}

        def step(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total)
            progress.update(tasks[phase], completed=done, total=total)

        yield step


@contextmanager
def counting_bar() -> Iterator[Callable[[str, int], None]]:
    """Show a bar a phase on stderr; the callable is told the phase and how often it will be called for it."""
    done: Counter[str] = Counter()
    with progress_bar() as step:

        def count(phase: str, total: int) -> None:
            done[phase] += 1
            step(phase, done[phase], total)

        yield count


def calibration_rows(table: list[dict[str, Any]]) -> Table:
    """Return a calibration table for the terminal."""
    shown = Table("predicted", "answers", "mean predicted", "completed", title="calibration")
    for one in table:
        shown.add_row(
            f"{one['low']:.1f} to {one['high']:.1f}", f"{one['count']:,}",
            f"{one['mean_predicted_prob']:.3f}", f"{one['share_completed']:.3f}",
        )  # fmt: skip
    return shown
