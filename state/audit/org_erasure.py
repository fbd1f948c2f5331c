"""Erasing an org: every row of every table that is its own, with a chain of tombstones left that still verifies.

What stays: the org's row of `orgs`, which is its name with the length and the head of its chain, and the chain's
entries, of which hashes and times are left. The entries that close it say which records went, how many calls there
were, and what they cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, select, update

from ..changes import note_change
from ..schema import attempts, audit, keys, metadata, open_calls, orgs
from ..sqlite_pages import delete_securely
from .chain import append_entry
from .tombstones import TOMBSTONE, deletion_record

STAYS = ("orgs", "audit")
"""Tables in which something of an erased org is left."""
MOST_NAMED = 2_000
"""Erased entries that one entry names."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of an org."""

    rows: Mapping[str, int]
    """Deleted rows by table; tables that held none are left out."""
    entries: int
    """Records of the chain that tombstones stand for."""
    calls: int
    cost_nusd: int
    """Of all its requests to models, known only as a sum from now on."""


def close_doors(connection: Connection, org: str) -> int:
    """Delete the org's keys, so that none of them opens a call any more; return how many there were."""
    return connection.execute(delete(keys).where(keys.c.org == org)).rowcount


def calls_under_way(connection: Connection, org: str) -> int:
    """Return how many of its calls were begun and are not logged, whichever process has them."""
    query = select(func.count()).select_from(open_calls).where(open_calls.c.org == org)
    return int(connection.scalar(query) or 0)


def erase_org(connection: Connection, org: str) -> Erased | None:
    """Erase an org inside the connection's transaction; None where nothing was ever kept of it."""
    delete_securely(connection)
    known = connection.execute(
        select(orgs.c.call_count).where(orgs.c.org == org).with_for_update()
    ).one_or_none()
    spent = func.coalesce(func.sum(func.coalesce(attempts.c.cost_nusd, attempts.c.reserved_nusd)), 0)
    cost_nusd = int(connection.scalar(select(spent).where(attempts.c.org == org)) or 0)
    rows: dict[str, int] = {}
    for table in metadata.sorted_tables:
        if "org" in table.c and table.name not in STAYS:
            gone = connection.execute(delete(table).where(table.c.org == org)).rowcount
            rows |= {table.name: gone} if gone else {}
    if known is None and not rows:
        return None
    note_change(connection, org)
    erased = Erased(rows, 0, 0 if known is None else int(known.call_count), cost_nusd)
    return _bury_all(connection, org, erased)


def _bury_all(connection: Connection, org: str, erased: Erased) -> Erased:
    """Put tombstones in the place of all records, and append the entries that name them."""
    query = select(audit.c.idx, audit.c.record_hash).where(audit.c.org == org).order_by(audit.c.idx)
    named = [(int(row.idx), str(row.record_hash)) for row in connection.execute(query)]
    now = datetime.now(UTC)
    for start in range(0, len(named), MOST_NAMED):
        append_entry(connection, org, deletion_record(now, named[start : start + MOST_NAMED]))
    if named:
        mine = (audit.c.org == org) & (audit.c.idx <= named[-1][0])
        connection.execute(update(audit).where(mine).values(record=TOMBSTONE))
    record = {
        "kind": "org_deleted",
        "at": now.isoformat(),
        "calls": erased.calls,
        "cost_nusd": erased.cost_nusd,
    }
    append_entry(connection, org, record)
    left = {"call_count": 0, "labelled_count": 0, "erasures": orgs.c.erasures + 1}
    connection.execute(update(orgs).where(orgs.c.org == org).values(left))
    return Erased(erased.rows, len(named), erased.calls, erased.cost_nusd)
