"""`x25 langsmith`: an org's log as a LangSmith dataset, and a router tried on one; nothing else is ever sent."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..graph.routers import load_routers
from ..graph.settings import read_environment
from ..state.errors import ConfigError
from ..state.names import check_org
from .console import AsJson, Database, err, existing_store, print_json, run, settings_for
from .workshop import workshop_errors

if TYPE_CHECKING:
    from ..training.org.langsmith_dataset import Dataset
    from ..training.org.langsmith_experiment import Experiment

langsmith = typer.Typer(help="Datasets and experiments in LangSmith.", no_args_is_help=True)
Url = Annotated[
    str | None,
    typer.Option("--url", help="Address of LangSmith's API [LANGSMITH_ENDPOINT, else LangSmith's own]."),
]
Router = Annotated[str, typer.Option("--router", help="Name of a router config.")]


@langsmith.command()
def export(
    org: Annotated[str, typer.Argument(help="Whose log.")],
    dataset: Annotated[str | None, typer.Option(help="Name of the new dataset [x25-ORG].")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Newest calls exported.")] = 500,
    evaluate: Annotated[
        str | None, typer.Option("--evaluate", help="Router config to try on the dataset at once.")
    ] = None,
    url: Url = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a dataset of the calls whose prompt was kept (X25_STORE_PROMPTS=true); others are counted and left out.

    The prompts leave this machine: they go to the address of LangSmith's API with the key in LANGSMITH_API_KEY.
    """
    name = dataset or f"x25-{org}"
    with workshop_errors():
        made, experiment = run(_export(check_org(org), name, limit, evaluate, url, db))
    _show(made, experiment, as_json=as_json)


@langsmith.command("evaluate")
def evaluate_dataset(
    dataset: Annotated[str, typer.Argument(help="Name of a dataset whose inputs hold a prompt.")],
    router: Router = "auto",
    org: Annotated[str, typer.Option(help="Org the calls belong to.")] = "langsmith",
    url: Url = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Route every prompt of a dataset and record judged quality, cost and latency as an experiment."""
    with workshop_errors():
        experiment: Experiment = run(_evaluate(check_org(org), dataset, router, url, db))
    _show(None, experiment, as_json=as_json)


async def _export(
    org: str, name: str, limit: int, router: str | None, url: str | None, db: str | None
) -> "tuple[Dataset, Experiment | None]":
    from ..training.org.langsmith_dataset import export_dataset, prompts_of  # noqa: PLC0415

    settings, client = settings_for(db), _client(url)
    if router is not None:
        _check_router(router, settings)
    async with await existing_store(settings) as store:
        calls, others = await prompts_of(store, org, limit)
    made = await asyncio.to_thread(export_dataset, client, name, org, calls, others)
    return made, None if router is None else await _evaluate(org, name, router, url, db)


async def _evaluate(org: str, dataset: str, router: str, url: str | None, db: str | None) -> "Experiment":
    from ..graph.run import open_cascade  # noqa: PLC0415
    from ..training.org.langsmith_experiment import run_experiment  # noqa: PLC0415

    settings, client = settings_for(db), _client(url)
    _check_router(router, settings)
    async with open_cascade(settings) as cascade:
        return await run_experiment(client, dataset, cascade.route, router=router, org=org)


def _client(url: str | None) -> Any:
    from ..training.org.langsmith_dataset import API_KEY, open_client  # noqa: PLC0415

    environment = read_environment()
    return open_client(url or environment.get("LANGSMITH_ENDPOINT"), environment.get(API_KEY))


def _check_router(name: str, settings: Any) -> None:
    routers = load_routers(Path(settings.routers_dir) if settings.routers_dir else None)
    if name not in routers:
        raise ConfigError(f"router {name!r} is unknown; routers are {', '.join(sorted(routers))}")


def _show(made: "Dataset | None", experiment: "Experiment | None", *, as_json: bool) -> None:
    if as_json:
        found = {} if made is None else asdict(made)
        print_json(found | {"evaluated": None if experiment is None else asdict(experiment)})
        return
    if made is not None:
        err.print(
            f"dataset {made.dataset}: {made.examples:,} examples, {made.skipped:,} calls without their prompt left out",
            highlight=False,
        )
    if experiment is not None:
        quality = "none" if experiment.mean_quality is None else f"{experiment.mean_quality:.3f}"
        err.print(
            f"experiment {experiment.experiment}: {experiment.examples:,} prompts by router {experiment.router}, "
            f"{experiment.failed:,} failed, mean quality {quality}, cost ${experiment.mean_cost_usd or 0.0:.6f}, "
            f"{experiment.mean_latency_ms or 0.0:.0f} ms",
            highlight=False,
            soft_wrap=True,
        )
