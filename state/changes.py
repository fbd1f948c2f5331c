"""What a transaction changed that is kept in memory somewhere: noted while it runs, told once it is committed."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from .records import Evidence

Changes = Mapping[str, Sequence[Evidence] | None]
"""What an org's evidence became, by org: the rows that changed; None where everything must be read again."""
Announce = Callable[[Changes], None]
"""Told what changed, on whatever thread committed it."""

_CHANGED = "x25 evidence changed"


def note_change(connection: Connection, org: str, became: Sequence[Evidence] | None = None) -> None:
    """Note that the transaction changes the org's evidence; of one that is undone this is told all the same."""
    noted = connection.info.setdefault(_CHANGED, {})
    before = noted.get(org, ())
    noted[org] = None if became is None or before is None else (*before, *became)


def doubt_changes(connection: Connection) -> None:
    """Take back what evidence became: some of it was undone."""
    noted = connection.info.get(_CHANGED, {})
    noted.update(dict.fromkeys(noted))


def taken_changes(connection: Connection) -> Changes:
    """Return what was noted since the last time."""
    changed: Changes = connection.info.pop(_CHANGED, {})
    return changed
