"""`x25 keys`: API keys of orgs."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from ..graph.vault import new_master_key
from ..routing.plan.org_settings import OrgSettings
from ..state.api_key import DEFAULT_SCOPES, SCOPES, ApiKey
from ..state.errors import NotFound
from ..state.keys import MOST_OVERLAP_S, Revoked, replaced_by_id
from ..state.names import check_org
from ..state.rates import MOST_A_MINUTE
from ..state.records import usd_from_nusd
from ..state.store import open_store
from .console import AsJson, Database, err, out, print_json, run, settings_for

MOST_DIGITS = 30

keys = typer.Typer(help="Create, list, renew and revoke API keys.", no_args_is_help=True)

Usd = Annotated[float | None, typer.Option(help="Most its calls may cost, US dollars.")]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=NUMBER, again for each: tokens_per_minute, concurrent_calls, tokens_per_day, tokens_per_month."
    ),
]
Rpm = Annotated[
    int,
    typer.Option(
        "--rate-limit-rpm", "--rpm", min=0, max=MOST_A_MINUTE, help="Calls per minute, 0 = unlimited."
    ),
]
KeyId = Annotated[str, typer.Argument(help="Id as shown by 'x25 keys list'.")]


@keys.command()
def create(
    org: Annotated[str, typer.Argument(help="Org the key belongs to.")],
    rate_limit_rpm: Rpm = 0,
    admin: Annotated[bool, typer.Option("--admin", help="Let it do everything for every org.")] = False,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What it may do, again for each: {', '.join(SCOPES)} [default: {', '.join(DEFAULT_SCOPES)}]."
        ),
    ] = None,
    expires_at: Annotated[
        datetime | None, typer.Option(help="Until when it is good, UTC [default: for ever].")
    ] = None,
    usd_per_call: Usd = None,
    usd_per_day: Usd = None,
    usd_per_month: Usd = None,
    limit: Limit = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown once and stored as a hash."""
    budgets = {"usd_per_call": usd_per_call, "usd_per_day": usd_per_day, "usd_per_month": usd_per_month}

    async def work() -> tuple[str, ApiKey]:
        settings = OrgSettings.parse({"budgets": budgets, "limits": _limits(limit or [])})
        async with await open_store(settings_for(db).store_url) as store:
            return await store.keys.create(
                check_org(org), rate_limit_rpm, is_admin=admin, scopes=scope or DEFAULT_SCOPES,
                expires_at=None if expires_at is None else expires_at.replace(tzinfo=UTC),
                rates=settings.limits.rates, ceilings=settings.ceilings,
            )  # fmt: skip

    secret, key = run(work())
    _show(
        secret,
        key,
        f"key {key.key_id} of org {key.org}: keep it now, it cannot be shown again",
        as_json=as_json,
    )


@keys.command()
def master() -> None:
    """Print a new master key, for X25_BYOK_KEY: orgs' own provider keys are encrypted with it."""
    out.print(new_master_key(), highlight=False)


@keys.command("list")
def list_keys(
    org: Annotated[str | None, typer.Argument(help="One org; all when left out.")] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """List keys by id and by how they begin; the keys themselves are not kept."""

    async def work() -> list[ApiKey]:
        async with await open_store(settings_for(db).store_url) as store:
            return await store.keys.list(None if org is None else check_org(org))

    found = run(work())
    replaced = replaced_by_id(found)
    if as_json:
        print_json([_facts(one) | {"replaces": replaced.get(one.key_id)} for one in found])
        return
    whole = [Column(name, no_wrap=True) for name in ("key", "begins")]
    table = Table(*whole, "org", "calls/min", "may", "last used", "ends")
    for one in found:
        table.add_row(
            one.key_id, one.prefix, one.org,
            str(one.rate_limit_rpm) if one.rate_limit_rpm else "unlimited",
            "everything" if one.is_admin else " ".join(one.scopes), _minute(one.last_used_at),
            f"revoked {_minute(one.revoked_at)}" if one.revoked_at else _minute(one.expires_at),
        )  # fmt: skip
    out.print(table)


@keys.command()
def rotate(
    key_id: KeyId,
    overlap_s: Annotated[
        float,
        typer.Option(
            min=0, max=MOST_OVERLAP_S, help="How long the old key stays good, seconds; 0 = not at all."
        ),
    ] = 3600.0,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a key in the place of another, which stays good a while. Limits, ceilings and what was spent carry over."""

    async def work() -> tuple[str, ApiKey, datetime]:
        async with await open_store(settings_for(db).store_url) as store:
            return await store.keys.rotate(key_id, overlap_s)

    secret, key, until = run(work())
    said = f"key {key.key_id} takes the place of {key_id}, which ends at {until:%Y-%m-%d %H:%M:%S} UTC"
    _show(secret, key, said, as_json=as_json, replaces=key_id, old_key_until=until)


@keys.command()
def revoke(
    key_id: KeyId,
    with_successors: Annotated[
        bool, typer.Option("--with-successors", help="Revoke those that came of it by renewal, too.")
    ] = False,
    db: Database = None,
) -> None:
    """Revoke a key at once, at every gateway on the store; keys that came of it by renewal are named."""

    async def work() -> Revoked:
        async with await open_store(settings_for(db).store_url) as store:
            done = await store.keys.revoke(key_id, with_successors=with_successors)
        if done is None:
            raise NotFound(f"no key {key_id!r} that is not revoked already")
        return done

    done = run(work())
    for one in done.key_ids:
        err.print(f"key {one} is revoked")
    if done.successors:
        err.print(f"good all the same, renewed from it: {', '.join(done.successors)} (--with-successors)")


def _limits(given: list[str]) -> dict[str, Any]:
    """Return limits by name; what is no number is left for the settings to refuse by its name."""
    pairs = (one.partition("=") for one in given)
    # Python refuses to read integers of thousands of digits, and no limit has more than a few.
    return {
        name: int(value) if value.isdecimal() and len(value) <= MOST_DIGITS else value
        for name, _, value in pairs
    }


def _show(secret: str, key: ApiKey, said: str, *, as_json: bool, **more: Any) -> None:
    if as_json:
        print_json({"api_key": secret, **_facts(key), **more})
        return
    out.print(secret, highlight=False)
    err.print(said)


def _facts(key: ApiKey) -> dict[str, Any]:
    names = (
        "key_id", "prefix", "org", "rate_limit_rpm", "is_admin", "created_at", "expires_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    budgets = {"usd_per_call": key.call_nusd, "usd_per_day": key.day_nusd, "usd_per_month": key.month_nusd}
    return {name: getattr(key, name) for name in names} | {
        "scopes": list(key.scopes),
        "budgets": {name: None if nusd is None else usd_from_nusd(nusd) for name, nusd in budgets.items()},
        "limits": {
            "tokens_per_minute": key.tokens_per_minute or None,
            "concurrent_calls": key.concurrent_calls or None,
            "tokens_per_day": key.day_tokens,
            "tokens_per_month": key.month_tokens,
        },
    }


def _minute(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M}"
