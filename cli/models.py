"""`x25 models`: what can be routed to, and where its benchmark figures come from."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Column, Table

from ..graph.bootstrap import BUNDLED_MODELS
from ..graph.settings import read_environment
from ..providers.keyring import Keyring
from ..providers.registry import Registry, load_registry
from ..state.types import TIERS
from .console import AsJson, friendly_errors, out, print_json, settings_for
from .models_add import add
from .models_check import check
from .outcome_files import SampleSize, extract_profiles, fetch, sample

models = typer.Typer(
    help="List models, add your own; fetch, sample and sum up recorded outcomes.", invoke_without_command=True
)

Results = Annotated[Path, typer.Argument(help="Folder, .tar.gz, .json or .jsonl with recorded outcomes.")]


@models.callback()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models of the registry with prices, and what would open those that cannot be reached."""
    if context.invoked_subcommand is not None:
        return
    with friendly_errors():
        registry = load_registry(BUNDLED_MODELS, *settings_for().model_dirs)
        rows = describe(registry, Keyring(read_environment()))
    if as_json:
        print_json(rows)
        return
    out.print(models_table(rows))
    for line in footnotes(rows):
        out.print(line, highlight=False)


def models_table(rows: list[dict[str, Any]]) -> Table:
    """Return one row a model, narrow enough for 80 columns."""
    numbers = [Column(name, justify="right") for name in ("$ in", "$ out", "context", "ability")]
    table = Table(
        Column("model", overflow="fold"), "tier", *numbers, "open", box=None, padding=(0, 1, 0, 0),
        caption="US dollars per million tokens", caption_justify="left",
    )  # fmt: skip
    for row in rows:
        mark = "*" if row["unverified"] else ""
        table.add_row(
            row["model_id"] + mark, row["tier"], _number(row["input_usd_per_mtok"]),
            _number(row["output_usd_per_mtok"]), _tokens(row["context_tokens"]), _number(row["capability"]),
            "yes" if row["routable"] else "no", style=None if row["routable"] else "dim",
        )  # fmt: skip
    return table


def footnotes(rows: list[dict[str, Any]]) -> list[str]:
    """Return what opens the closed models, and which figures nobody has checked where they come from."""
    reasons = Counter(row["why_not"] for row in rows if not row["routable"])
    lines = [f"closed, {count}: {reason}" for reason, count in reasons.most_common()]
    if any(row["unverified"] for row in rows):
        lines.append("* figures read in somebody else's list, unverified at their source")
    return lines


@models.command()
def download(
    source: Annotated[str, typer.Argument(help="URL or path of a file with recorded outcomes.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder to put it in.")] = Path(),
    expected: Annotated[
        str | None, typer.Option("--sha256", help="Refuse a file with another digest.")
    ] = None,
) -> None:
    """Fetch recorded outcomes; says what to do instead when there is no network."""
    with friendly_errors():
        target, digest = fetch(source, folder, expected)
    print_json({"file": str(target), "bytes": target.stat().st_size, "sha256": digest})


@models.command("sample")
def take_sample(
    results: Results,
    folder: Annotated[Path, typer.Option("--out", help="New folder for the sample.")],
    max_records: Annotated[int, typer.Option(min=1, help="Most records in all.")] = 5000,
    max_files: Annotated[int, typer.Option(min=1, help="Most files.")] = 200,
    max_records_per_file: Annotated[int, typer.Option(min=1, help="Most records of one file.")] = 25,
    seed: Annotated[int, typer.Option(help="The same seed keeps the same records.")] = 42,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the folder.")] = False,
) -> None:
    """Write a random part of recorded outcomes to a new folder."""
    size = SampleSize(max_records, max_files, max_records_per_file)
    with friendly_errors():
        print_json(sample(results, folder, size, seed, overwrite=overwrite))


@models.command()
def extract_profile(
    results: Results,
    file: Annotated[Path, typer.Option("--out", help="YAML file for the benchmark profiles.")],
) -> None:
    """Sum recorded outcomes up as benchmark profiles, one figure a model and task."""
    with friendly_errors():
        profiles = extract_profiles(results)
    file.write_text(yaml.safe_dump(profiles, sort_keys=False), encoding="utf-8")
    print_json(
        {
            "file": str(file),
            "models": len(profiles),
            "figures": sum(len(one["benchmarks"]) for one in profiles),
        }
    )


models.command()(add)
models.command()(check)


def describe(registry: Registry, keyring: Keyring) -> list[dict[str, Any]]:
    """Return a row a model, cheapest tier first."""
    reasons = registry.unroutable(keyring.has)
    return [
        {
            "model_id": spec.model_id,
            "provider": spec.provider,
            "tier": spec.tier,
            "input_usd_per_mtok": float(spec.input_usd_per_mtok) if spec.priced else None,
            "output_usd_per_mtok": float(spec.output_usd_per_mtok) if spec.priced else None,
            "context_tokens": spec.context_tokens,
            "capability": spec.capability,
            "benchmarks": {name: asdict(figure) for name, figure in sorted(spec.figures.items())},
            "unverified": [one["url"] for one in spec.sources if one.get("level") == "unverified"],
            "modalities": sorted(spec.modalities),
            "as_of": spec.as_of,
            "routable": spec.model_id not in reasons,
            "why_not": reasons.get(spec.model_id),
        }
        for spec in sorted(registry.models, key=lambda spec: (TIERS.index(spec.tier), spec.model_id))
    ]


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _tokens(count: int) -> str:
    """Return a number of tokens in thousands or millions."""
    return f"{count / 1_000_000:.3g}M" if count >= 1_000_000 else f"{count / 1_000:.0f}k"
