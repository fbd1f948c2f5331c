"""`x25 verify`: walk the audit chains."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..graph.signing import Head, PublicKey, read_head, sign_head, verify_against
from ..state.audit.entries import Verification
from ..state.errors import InvalidRequest, NotFound
from ..state.names import check_org
from .console import AsJson, Database, existing_store, out, print_json, run, settings_for


def verify(
    org: Annotated[str | None, typer.Argument(help="One org; all when left out.")] = None,
    expect_head: Annotated[
        str | None, typer.Option(help="Hash the chain must end in, as kept elsewhere.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="HEAD.json", help="Signed head kept elsewhere: its chain must still hold it, unaltered."
        ),
    ] = None,
    public_key: Annotated[
        str | None, typer.Option(help="Base64 of the key that must have signed it [the one the head names].")
    ] = None,
    sign: Annotated[
        bool,
        typer.Option("--sign", help="Print the signed head of the org's chain instead, to keep elsewhere."),
    ] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Check that no audit entry was edited, removed, inserted, reordered or cut off. Exit code 1 when one was.

    Every chain is walked from its first entry. Whoever can rewrite a whole chain, hashes and all, is caught by a head
    that was signed before and kept elsewhere.
    """
    if sign:
        print_json(asdict(run(_sign(org, db))))
        return
    found = run(
        _verify(org, expect_head, db) if against is None else _verify_against(against, public_key, org, db)
    )
    if as_json:
        print_json({"intact": all(one.intact for one in found), "orgs": [asdict(one) for one in found]})
    else:
        out.print(chains_table(found))
    if not all(one.intact for one in found):
        raise typer.Exit(1)


async def _verify(org: str | None, expect_head: str | None, db: str | None) -> list[Verification]:
    async with await existing_store(settings_for(db)) as store:
        if org is not None:
            found = await store.audit.verify(check_org(org), expect_head=expect_head)
            if found.intact and not found.total_records:
                raise NotFound(f"org {org!r} has no audit chain here: nothing was logged of it")
            return [found]
        return await store.audit.verify_all()


async def _sign(org: str | None, db: str | None) -> Head:
    if org is None:
        raise InvalidRequest("say whose chain: x25 verify ORG --sign", field="org")
    settings = settings_for(db)
    async with await existing_store(settings) as store:
        return await sign_head(store, check_org(org), settings)


async def _verify_against(
    file: Path, public_key: str | None, org: str | None, db: str | None
) -> list[Verification]:
    head = read_head(file)
    if org is not None and check_org(org) != head.org:
        raise InvalidRequest(f"{file} is a head of org {head.org!r}, not of {org!r}", field="org")
    key = None if public_key is None else PublicKey.parse(public_key)
    async with await existing_store(settings_for(db)) as store:
        return [await verify_against(store, head, key)]


def chains_table(found: list[Verification]) -> Table:
    """Return one row a chain."""
    table = Table(
        "org", "records", "calls", "intact", "first broken", "what is wrong", "head", title="audit chains"
    )
    for one in found:
        table.add_row(
            one.org, str(one.total_records), str(one.calls), "yes" if one.intact else "NO",
            "" if one.first_broken_index is None else str(one.first_broken_index), one.reason or "", one.head_hash[:16],
            style=None if one.intact else "red",
        )  # fmt: skip
    return table
