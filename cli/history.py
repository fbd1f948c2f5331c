"""`x25 history`: what an org asked, its export as training rows, and its erasure."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ..graph.checkpoints import open_saver, rebuild_file
from ..graph.erasing import ErasedCall, erase_call
from ..graph.retention import forget_before
from ..graph.training_days import TrainingDays
from ..state.audit.history import Logged, Page
from ..state.errors import ConfigError, NotFound
from ..state.names import check_call_id, check_org, check_user_id
from ..state.records import Call, usd_from_nusd
from .console import AsJson, Database, err, existing_store, out, print_json, run, settings_for
from .org_fit import export as export_rows

history = typer.Typer(help="List, export and erase what an org asked.", no_args_is_help=True)

Org = Annotated[str, typer.Argument(help="Whose.")]
User = Annotated[str | None, typer.Option("--user-id", help="Only this user's within the org.")]


@history.command("list")
def list_rows(
    org: Org,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Rows.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="Newest rows to pass over.")] = 0,
    before: Annotated[
        int | None, typer.Option(min=0, help="Only rows below this place of the audit chain.")
    ] = None,
    user_id: User = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """List calls and decisions, newest first."""

    async def work() -> Page:
        async with await existing_store(settings_for(db)) as store:
            return await store.history.recent(
                check_org(org), limit=limit, offset=offset, before=before, user_id=check_user_id(user_id)
            )

    page: Page = run(work())
    if as_json:
        print_json({"calls": [_facts(one) for one in page.rows], "total": page.total, "next": page.next})
        return
    table = Table(
        "entry", "id", "when", "what", "selected", "cost $", "user", title=f"{org}: {page.total:,} in all"
    )
    for one in page.rows:
        facts = _facts(one)
        table.add_row(
            str(one.index), facts["id"], facts["at"][:19], facts["status"], ", ".join(facts["selected"]),
            f"{facts['cost_usd']:.6f}", facts["user_id"] or "",
        )  # fmt: skip
    out.print(table)


def _facts(logged: Logged) -> dict[str, Any]:
    row = logged.row
    facts = {
        "id": row.call_id, "kind": logged.kind, "at": row.created_at.isoformat(), "task": row.task_type,
        "user_id": row.user_id, "prompt": row.prompt, "prompt_sha256": logged.prompt_sha256,
        "audit_index": logged.index, "audit_hash": logged.record_hash,
    }  # fmt: skip
    if isinstance(row, Call):
        asked = row.decision.get("model_id")
        return facts | {
            "config": row.router, "status": row.status, "selected": [] if asked is None else [asked],
            "model_used": row.model_id, "cost_usd": usd_from_nusd(row.paid_nusd),
        }  # fmt: skip
    return facts | {
        "config": row.config, "status": "decided", "selected": row.facts["selected"],
        "model_used": None, "cost_usd": usd_from_nusd(row.cost_nusd),
    }  # fmt: skip


@history.command()
def delete(
    org: Org,
    call_id: Annotated[str, typer.Argument(help="Id of a call or a decision.")],
    user_id: User = None,
    db: Database = None,
) -> None:
    """Erase one call or decision: its row, its words, its checkpoint, its chain record, its lines of training data.

    The chain keeps a tombstone and still verifies; money and what was learnt stay counted.
    """

    async def work() -> ErasedCall:
        settings, owner = settings_for(db), check_org(org)
        mine = check_call_id(call_id), check_user_id(user_id)
        async with open_saver(settings) as saver, await existing_store(settings) as store:
            erased = await erase_call(store, saver, settings, owner, mine[0], user_id=mine[1])
        if erased is None:
            raise NotFound(f"call {call_id} of org {owner!r} is not on record")
        return erased

    training = run(work()).training
    err.print(f"{call_id} is deleted, and {training.lines} lines of training data")
    for folder in training.unsure:
        err.print(f"it may be in {folder}", highlight=False, markup=False, soft_wrap=True)


@history.command()
def forget(
    older_than_days: Annotated[float, typer.Option(min=0, help="Only what is older than this many days.")],
    org: Annotated[str | None, typer.Option(help="Only this org's.")] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Erase stored prompts, vectors of prompts and answers, checkpoints, user ids, and lines of training data.

    Figures stay (X25_PROMPT_DAYS does so).
    """
    before = datetime.now(UTC) - timedelta(days=older_than_days)

    async def work() -> int:
        settings, owner = settings_for(db), None if org is None else check_org(org)
        async with open_saver(settings) as saver, await existing_store(settings) as store:
            return await forget_before(store, saver, TrainingDays(store, settings), owner, before)

    prompts = run(work())
    if as_json:
        print_json({"prompts": prompts})
    else:
        err.print(f"erased {prompts} stored prompts")


@history.command()
def vacuum(db: Database = None) -> None:
    """Write the SQLite files anew, so that no byte of what was erased is left; calls wait while that takes.

    What is erased is overwritten at once; copies that rows left behind when pages were split go here alone.
    """

    async def work() -> bool:
        settings = settings_for(db)
        if not settings.store_url.startswith("sqlite"):
            raise ConfigError("only SQLite files are written anew; on Postgres run VACUUM FULL")
        async with open_saver(settings) as saver, await existing_store(settings) as store:
            if saver is not None:
                await rebuild_file(saver)
            return await store.erasure.rebuild()

    if not run(work()):
        err.print("others use the database all the time: try again")
        raise typer.Exit(1)
    err.print("written anew")


@history.command()
def export(
    org: Org,
    output: Annotated[Path | None, typer.Option(help="File to write [ORG.jsonl].")] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the call log as training rows, which `x25 train --dataset jsonl:FILE` reads."""
    export_rows(org, db, output or Path(f"{org}.jsonl"), as_json=as_json)
