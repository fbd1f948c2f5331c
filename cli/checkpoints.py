"""`x25 checkpoints`: the path a call took, resuming it, what was left unfinished, and deleting what is old."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from ..graph.checkpoints import delete_checkpoints, open_saver, path_of
from ..graph.retention import forget_before
from ..graph.run import open_cascade
from ..graph.training_days import TrainingDays
from ..graph.training_folders import delete_folders
from ..state.errors import ConfigError, InvalidRequest, NotFound
from ..state.open_calls import OpenCall
from .console import AsJson, Database, err, existing_store, out, print_json, run, settings_for

checkpoints = typer.Typer(help="Look at, resume and delete the checkpoints of calls.", no_args_is_help=True)

Org = Annotated[str, typer.Argument(help="Org of the call.")]
CallId = Annotated[str, typer.Argument(help="Id of the call.")]


@checkpoints.command()
def show(org: Org, call_id: CallId, db: Database = None, as_json: AsJson = False) -> None:
    """Print the path a call took through the cascade, with milliseconds."""

    async def work() -> list[dict[str, Any]]:
        async with open_saver(settings_for(db)) as saver:
            if saver is None:
                raise ConfigError("checkpoints are off (X25_CHECKPOINTS)")
            return await path_of(saver, org, call_id)

    path = run(work())
    if as_json:
        print_json(path)
        return
    table = Table("step", "node", "ms", title=f"{org}/{call_id}")
    for number, step in enumerate(path, start=1):
        table.add_row(str(number), step["node"], f"{step['ms']:.2f}")
    out.print(table)


@checkpoints.command()
def resume(org: Org, call_id: CallId, db: Database = None) -> None:
    """Finish a call whose process died (X25_CHECKPOINTS=sync); an answer already paid for is used again."""

    async def work() -> dict[str, Any]:
        async with open_cascade(settings_for(db), does_chores=False) as cascade:
            return dict(await cascade.resume(org, call_id))

    print_json(run(work()))


@checkpoints.command()
def interrupted(db: Database = None, as_json: AsJson = False) -> None:
    """List calls that were begun and are not logged: under way, left by a dead process, or set aside and why.

    A gateway settles those of dead processes by itself. One that is set aside is tried again after `retry`.
    """

    async def work() -> list[dict[str, Any]]:
        async with await existing_store(settings_for(db)) as store:
            return [
                _open_call_facts(call, is_alive=is_alive) for call, is_alive in await store.open_calls.list()
            ]

    found = run(work())
    if as_json:
        print_json(found)
        return
    table = Table("org", "call", "state", "tries", "reason", title="calls that are not logged")
    for call in found:
        table.add_row(call["org"], call["call_id"], call["state"], str(call["tries"]), call["reason"] or "")
    out.print(table)


@checkpoints.command()
def retry(org: Org, call_id: CallId, db: Database = None) -> None:
    """Have gateways try again to settle a call that was set aside."""

    async def work() -> None:
        async with await existing_store(settings_for(db)) as store:
            if not await store.open_calls.retry(org, call_id):
                raise NotFound(f"call {call_id!r} of org {org!r} is not set aside")

    run(work())
    err.print("gateways will try again")


def _open_call_facts(call: OpenCall, *, is_alive: bool) -> dict[str, Any]:
    state = "set aside" if call.set_aside_at else "under way" if is_alive else "left by a dead process"
    return {
        "org": call.org, "call_id": call.call_id, "state": state, "asked_at": call.asked_at.isoformat(),
        "tries": call.tries, "reason": call.reason,
    }  # fmt: skip


@checkpoints.command()
def delete(
    org: Annotated[str | None, typer.Option(help="Only this org's.")] = None,
    older_than_days: Annotated[
        float | None, typer.Option(min=0, help="Only those older than this many days.")
    ] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Delete checkpoints by org, by age, or both, with stored prompts and answers and folders of training data.

    Figures, audit entries and learning stay.
    """
    before = datetime.now(UTC) - timedelta(days=older_than_days or 0)

    async def work() -> tuple[int, int]:
        if org is None and older_than_days is None:
            raise InvalidRequest("say which: --org, --older-than-days, or both", field="org")
        settings = settings_for(db)
        async with open_saver(settings) as saver, await existing_store(settings) as store:
            await asyncio.to_thread(delete_folders, settings, org=org, before=before)
            deleted = 0 if saver is None else await delete_checkpoints(saver, org=org, before=before)
            return deleted, await forget_before(store, saver, TrainingDays(store, settings), org, before)

    deleted, prompts = run(work())
    if as_json:
        print_json({"checkpoints": deleted, "prompts": prompts})
    else:
        err.print(f"deleted the checkpoints of {deleted} calls and {prompts} stored prompts")
