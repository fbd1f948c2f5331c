"""`x25 keys`: API keys of orgs."""

from typing import Annotated

import typer
from rich.table import Table

from ..state.errors import NotFound
from ..state.names import check_org
from ..state.records import ApiKey
from ..state.store import open_store
from .console import AsJson, Database, err, out, print_json, run, settings_for

keys = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@keys.command()
def create(
    org: Annotated[str, typer.Argument(help="Org the key belongs to.")],
    rate_limit_rpm: Annotated[
        int, typer.Option("--rate-limit-rpm", "--rpm", min=0, help="Calls per minute, 0 = unlimited.")
    ] = 0,
    admin: Annotated[bool, typer.Option("--admin", help="Let it read the reports of every org.")] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown once and stored as a hash."""

    async def work() -> tuple[str, ApiKey]:
        async with await open_store(settings_for(db).store_url) as store:
            return await store.keys.create(check_org(org), rate_limit_rpm=rate_limit_rpm, is_admin=admin)

    secret, key = run(work())
    if as_json:
        print_json(
            {
                "api_key": secret,
                "org": key.org,
                "rate_limit_rpm": key.rate_limit_rpm,
                "created_at": key.created_at,
            }
        )
        return
    out.print(secret, highlight=False)
    err.print(f"key {key.key_id} of org {key.org}: keep it now, it cannot be shown again")


@keys.command("list")
def list_keys(
    org: Annotated[str | None, typer.Argument(help="One org; all when left out.")] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """List keys by id; the keys themselves are not kept."""

    async def work() -> list[ApiKey]:
        async with await open_store(settings_for(db).store_url) as store:
            return await store.keys.list(None if org is None else check_org(org))

    found = run(work())
    if as_json:
        print_json(
            [
                {
                    "key_id": one.key_id,
                    "org": one.org,
                    "created_at": one.created_at,
                    "revoked_at": one.revoked_at,
                }
                for one in found
            ]
        )
        return
    table = Table("key", "org", "requests/min", "created", "revoked")
    for one in found:
        limit = str(one.rate_limit_rpm) if one.rate_limit_rpm else "unlimited"
        table.add_row(
            one.key_id, one.org, limit, f"{one.created_at:%Y-%m-%d %H:%M}", str(one.revoked_at or "")
        )
    out.print(table)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id as shown by 'x25 keys list'.")], db: Database = None
) -> None:
    """Revoke a key at once."""

    async def work() -> None:
        async with await open_store(settings_for(db).store_url) as store:
            if not await store.keys.revoke(key_id):
                raise NotFound(f"no key {key_id!r} that is not revoked already")

    run(work())
    err.print(f"key {key_id} is revoked")
