"""`x25 accounts`: who may sign in to the manager terminal."""

import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from ..state.accounts import Account, Accounts
from ..state.errors import ConfigError, InvalidRequest
from ..state.names import check_org
from ..state.store import open_store
from ..terminal.mounting import PREFIX
from .console import AsJson, Database, err, out, print_json, run, settings_for

accounts = typer.Typer(
    help="Create, link to, list, change, disable and enable accounts of the manager terminal.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="What is typed to sign in, such as an address.")]
Admin = Annotated[bool, typer.Option("--admin", help="See and manage every org.")]
Orgs = Annotated[list[str] | None, typer.Option("--org", help="Org that a member sees, again for each.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@accounts.command()
def create(
    name: Name,
    admin: Admin = False,
    org: Orgs = None,
    password_stdin: FromInput = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make an account. The password is asked for twice, and stored as a hash.

    From the first account on the pages ask everybody to sign in, this machine's owner as well.
    """

    async def work() -> Account:
        orgs = _orgs(org, is_admin=admin)
        password_hash = _hashed(_password(from_input=password_stdin))
        async with await open_store(settings_for(db).store_url) as store:
            return await store.accounts.create(name, password_hash, is_admin=admin, orgs=orgs)

    made = run(work())
    if as_json:
        print_json(_facts(made))
    else:
        err.print(f"account {made.name} made; sign in at /terminal/ of the gateway")


@accounts.command()
def link(
    url: Annotated[str | None, typer.Option(help="Address of the pages, as browsers reach it.")] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print a link, good once and for an hour, that makes the first account in a browser."""
    settings = settings_for(db)

    async def work() -> str:
        async with await open_store(settings.store_url) as store:
            return setup_url(url or f"http://{settings.host}:{settings.port}", await store.setups.issue())

    found = run(work())
    if as_json:
        print_json({"setup_url": found})
    else:
        out.print(found, soft_wrap=True)


def setup_url(url: str, token: str) -> str:
    """Return the address on which the first account is made."""
    return f"{url.rstrip('/')}{PREFIX}/setup?token={token}"


@accounts.command()
def password(name: Name, password_stdin: FromInput = False, db: Database = None) -> None:
    """Set another password; whoever is signed in with the account is signed out."""

    async def work() -> None:
        password_hash = _hashed(_password(from_input=password_stdin))
        async with await open_store(settings_for(db).store_url) as store:
            await store.accounts.change(name, password_hash=password_hash)

    run(work())
    err.print(f"the password of {name} is another now")


@accounts.command()
def role(name: Name, admin: Admin = False, org: Orgs = None, db: Database = None) -> None:
    """Make an account an admin, or a member of these orgs and no other; its sessions end at once."""

    async def work() -> None:
        orgs = _orgs(org, is_admin=admin)
        async with await open_store(settings_for(db).store_url) as store:
            await store.accounts.set_role(name, is_admin=admin, orgs=orgs)

    run(work())
    err.print(f"account {name} sees {'every org' if admin else ', '.join(org or ())}")


@accounts.command("list")
def list_accounts(db: Database = None, as_json: AsJson = False) -> None:
    """List accounts; passwords are not kept."""

    async def work() -> list[Account]:
        async with await open_store(settings_for(db).store_url) as store:
            return await store.accounts.list()

    found = run(work())
    if as_json:
        print_json([_facts(one) for one in found])
        return
    table = Table("name", "role", "orgs", "created", "state")
    for one in found:
        state = "disabled" if one.disabled_at else "good"
        table.add_row(one.name, _role(one), ", ".join(one.orgs) or "all", f"{one.created_at:%Y-%m-%d}", state)
    out.print(table)


@accounts.command()
def disable(name: Name, db: Database = None) -> None:
    """Let an account sign in no more; its sessions end at once."""
    _switch(name, db, disabled=True)


@accounts.command()
def enable(name: Name, db: Database = None) -> None:
    """Let a disabled account sign in again."""
    _switch(name, db, disabled=False)


def _switch(name: str, db: str | None, *, disabled: bool) -> None:
    async def work() -> None:
        async with await open_store(settings_for(db).store_url) as store:
            kept: Accounts = store.accounts
            await kept.change(name, disabled=disabled)

    run(work())
    err.print(f"account {name} is {'disabled' if disabled else 'good'}")


def _orgs(named: list[str] | None, *, is_admin: bool) -> list[str]:
    orgs = [check_org(one) for one in named or ()]
    if is_admin and orgs:
        raise InvalidRequest("an admin sees every org: leave --org out, or --admin", field="org")
    if not is_admin and not orgs:
        raise InvalidRequest("say --admin, or --org for each org that a member sees", field="org")
    return orgs


def _password(*, from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\n")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


def _hashed(given: str) -> str:
    try:
        from ..terminal.passwords import hash_password  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError as error:
        raise ConfigError(f"accounts need {error.name}: pip install 'x25[terminal]'") from error
    return hash_password(given)


def _role(account: Account) -> str:
    return "admin" if account.is_admin else "member"


def _facts(account: Account) -> dict[str, Any]:
    return {
        "name": account.name, "role": _role(account), "orgs": list(account.orgs),
        "created_at": account.created_at.isoformat(),
        "disabled_at": account.disabled_at.isoformat() if account.disabled_at else None,
    }  # fmt: skip
