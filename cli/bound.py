"""`x25 bound`: at least what share of an org's answers is good, and which calls to label next."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from ..nodes.org.quality import bounds_of
from ..routing.belief.quality_bound import DELTA, LEAST_LABELS, QualityBound, is_picked
from ..state.names import check_org
from .console import AsJson, Database, err, existing_store, out, print_json, run, settings_for

LOOKED_THROUGH = 20_000
"""Newest calls that are looked through for some to label."""


def bound(
    org: Annotated[str, typer.Argument(help="Whose answers.")],
    delta: Annotated[
        float,
        typer.Option(min=1e-6, max=0.5, help="Probability that any level ever stated is above the truth."),
    ] = DELTA,
    pick: Annotated[
        int | None,
        typer.Option(min=1, help="List so many calls to label instead, picked by chance, newest first."),
    ] = None,
    share: Annotated[
        float,
        typer.Option(min=1e-6, max=1.0, help="Share of all calls that --pick picks from, each as likely."),
    ] = 0.05,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """State a lower bound on the share of good answers of each task type, which holds after every label.

    It rests on labels of answers that were picked by chance: 'x25 label --source audit', with --sampled-prob where not
    every call was as likely. A drift alarm suspends it until enough newer calls are labelled.
    """
    if pick is not None:
        _show_picked(org, run(_picked(org, share, pick, db)), share, as_json=as_json)
        return
    found = run(_bounds(org, delta, db))
    if as_json:
        print_json({"org": org, "bounds": {task: asdict(one) for task, one in found.items()}})
    elif found:
        out.print(bounds_table(found))
    else:
        err.print(
            f"org {org} has no label of an answer picked by chance: x25 bound {org} --pick 30 picks some",
            soft_wrap=True,
        )


async def _bounds(org: str, delta: float, db: str | None) -> dict[str, QualityBound]:
    async with await existing_store(settings_for(db)) as store:
        return await bounds_of(store, check_org(org), delta)


async def _picked(org: str, share: float, pick: int, db: str | None) -> list[str]:
    async with await existing_store(settings_for(db)) as store:
        calls = await store.labelled.unlabelled(check_org(org), LOOKED_THROUGH)
    return [call_id for call_id, _ in calls if is_picked(org, call_id, share)][:pick]


def _show_picked(org: str, call_ids: list[str], share: float, *, as_json: bool) -> None:
    if as_json:
        print_json({"org": org, "sampled_prob": share, "call_ids": call_ids})
        return
    for call_id in call_ids:
        out.print(call_id, highlight=False)
    err.print(
        f"label all of them: x25 label {org} CALL --right|--wrong --source audit --sampled-prob {share:g}",
        highlight=False,
        soft_wrap=True,
    )


def bounds_table(found: dict[str, QualityBound]) -> Table:
    """Return one row a task type."""
    table = Table("task type", "at least good", "labels", "status", title="stated quality")
    for task, one in found.items():
        level = "" if one.level is None else f"{one.level:.1%}"
        missing = f" ({LEAST_LABELS - one.labels} more needed)" if one.level is None else ""
        since = "" if one.since is None else f", since {one.since:%Y-%m-%d %H:%M}"
        table.add_row(task, level, str(one.labels), f"{one.status}{missing}{since}")
    return table
