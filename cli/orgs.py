"""`x25 orgs`: what orgs set for their calls."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from ..graph.checkpoints import open_saver
from ..graph.erasing import ErasedOrg, erase_org
from ..routing.plan.org_settings import AUTO, OrgSettings, merged
from ..state.errors import InvalidRequest
from ..state.names import check_org
from ..state.org_wishes import NO_JUDGE
from ..state.store import open_store
from .console import AsJson, Database, err, out, print_json, run, settings_for

orgs = typer.Typer(help="Show and change what orgs set for their calls; erase an org.", no_args_is_help=True)


@orgs.command("settings")
def show_or_set(
    org: Annotated[str, typer.Argument(help="Whose settings.")],
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE, again for each, VALUE as JSON or a word; null unsets it: quality_bar=0.9, "
            "optimize_for=cost-first, budgets.usd_per_day=5, privacy=hashes, retention_days=30, judge=none, "
            "cache=near, mode=full.",
        ),
    ] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show the settings of an org, once those given are changed; a running gateway takes them up within seconds."""

    async def work() -> dict[str, Any]:
        name, wanted = check_org(org), _parsed(change or [])
        async with await open_store(settings_for(db).store_url) as store:
            if not wanted:
                return await store.org_settings.read(name)
            return await store.org_settings.change(name, lambda current: _made(current, wanted), "x25 orgs")

    settings = OrgSettings.parse(run(work())).to_json()
    if as_json:
        print_json({"org": org, **settings})
        return
    for name, value in settings.items():
        out.print(f"{name}: {json.dumps(value)}", highlight=False)
    err.print("null = as the gateway's settings and the request say")


@orgs.command()
def delete(
    org: Annotated[str, typer.Argument(help="Whose data.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Erase all that is kept of an org; its audit chain keeps hashes and tombstones, and still verifies.

    Running gateways on the store drop what they have of it in memory within three seconds.
    """
    if not yes:
        typer.confirm(f"Delete every call, key, setting and lesson of org {org!r} for good?", abort=True)

    async def work() -> ErasedOrg:
        settings, name = settings_for(db), check_org(org)
        async with await open_store(settings.store_url) as store, open_saver(settings) as saver:
            return await erase_org(store, saver, settings, name)

    erased = run(work())
    if as_json:
        print_json({"org": org, **asdict(erased)})
        return
    for table, count in erased.store.rows.items():
        out.print(f"{table}: {count:,} rows", highlight=False)
    out.print(
        f"{erased.checkpoints:,} checkpoints, {erased.folders:,} folders of training data; "
        f"{erased.store.entries:,} entries of the audit chain are tombstones now",
        highlight=False,
    )
    for folder in erased.folders_left:
        err.print(f"left: {folder}", highlight=False, markup=False, soft_wrap=True)
    if erased.under_way:
        err.print(f"{erased.under_way} calls were under way: delete the org once more when they have ended")


def _parsed(change: list[str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for one in change:
        path, equals, text = one.partition("=")
        if not equals:
            raise InvalidRequest(f"--set takes NAME=VALUE, got {one!r}", field=path)
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        outer, _, inner = path.partition(".")
        wanted[outer] = {**wanted.get(outer, {}), inner: value} if inner else value
    return wanted


def _made(current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    settings = OrgSettings.parse(merged(current, wanted))
    if wanted.get("judge") not in (None, AUTO, NO_JUDGE) or wanted.get("reference_model") is not None:
        raise InvalidRequest(
            "names of models are checked by the gateway that has them: PATCH /orgs/ORG/settings",
            field="judge",
        )
    return settings.kept()
