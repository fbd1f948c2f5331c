"""`x25 verify`: walk the audit chains."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from ..state.names import check_org
from ..state.records import Verification
from ..state.store import open_store
from .console import AsJson, Database, out, print_json, run, settings_for


def verify(
    org: Annotated[str | None, typer.Argument(help="One org; all when left out.")] = None,
    expect_head: Annotated[
        str | None, typer.Option(help="Hash the chain must end in, as kept elsewhere.")
    ] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Check that no audit entry was edited, removed, inserted, reordered or cut off. Exit code 1 when one was.

    Every chain is walked from its first entry.
    """
    found = run(_verify(org, expect_head, db))
    if as_json:
        print_json({"intact": all(one.intact for one in found), "orgs": [asdict(one) for one in found]})
    else:
        out.print(chains_table(found))
    if not all(one.intact for one in found):
        raise typer.Exit(1)


async def _verify(org: str | None, expect_head: str | None, db: str | None) -> list[Verification]:
    async with await open_store(settings_for(db).store_url) as store:
        if org is not None:
            return [await store.audit.verify(check_org(org), expect_head=expect_head)]
        return await store.audit.verify_all()


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
