"""A store as full as after many calls, by copying what a few real ones left: SQL alone, a million in about a minute.

Copies have call ids, hashes and places of their own, and the sums over them are kept, so that the next call meets what
it would meet; only the copied entries of the audit chain do not verify.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
_ID = "printf('%028x', n.i)"
_LINK = "printf('%064x', n.i + {})"
PER_CALL = {
    "calls": {"call_id": _ID, "audit_idx": ":kept + n.i", "created_at": "t.created_at + 1000 * n.i"},
    "attempts": {"call_id": _ID, "attempt_id": "printf('%028x-a0-0', n.i)"},
    "evidence_log": {"call_id": _ID},
    "audit": {"idx": ":kept + n.i", "prev_hash": _LINK.format(1), "record_hash": _LINK.format(2)},
}
"""What differs in a copy, by table and column: an expression of its number, and of how many calls there were."""
PER_ORG = ("orgs", "posteriors", "call_sums", "calls", "attempts", "evidence_log", "audit", "budgets")
ORG_OF_COPY = "printf('org-%d', n.i)"
_ATTEMPT = {"attempt_id": "printf('%d-', n.i) || t.attempt_id"}


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the names of a table's columns."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def copy_calls(path: Path, org: str, count: int) -> None:
    """Log `count` more calls of an org, copies of those that it has in turn."""
    with closing(sqlite3.connect(path)) as connection, connection:
        (kept,) = connection.execute("SELECT count(*) FROM calls WHERE org = ?", (org,)).fetchone()
        for table, changed in PER_CALL.items():
            columns = columns_of(connection, table)
            template = (
                f"CREATE TEMP TABLE few AS SELECT *, row_number() OVER () - 1 AS k FROM {table} WHERE org = ?"  # noqa: S608
            )
            connection.execute(template, (org,))
            (few,) = connection.execute("SELECT count(*) FROM few").fetchone()
            taken = ", ".join(changed.get(name, f"t.{name}") for name in columns)
            copied = (
                f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS}"  # noqa: S608
                f" SELECT {taken} FROM n JOIN few t ON t.k = n.i % :few"
            )
            connection.execute(copied, {"count": count, "few": few, "kept": kept})
            connection.execute("DROP TABLE few")
        moved = (
            "UPDATE orgs SET call_count = call_count + :count, chain_length = chain_length + :count,"
            " chain_head = printf('%064x', :count + 1) WHERE org = :org"
        )
        connection.execute(moved, {"count": count, "org": org})
        sums = (
            "UPDATE call_sums SET total_calls = total_calls * :times, pool_calls = pool_calls * :times,"
            " rated = rated * :times, timed = timed * :times WHERE org = :org"
        )
        connection.execute(sums, {"times": (kept + count) // kept, "org": org})


def copy_orgs(path: Path, org: str, count: int) -> None:
    """Make `count` orgs `org-0`, `org-1`, ... that have and know what an org has and knows."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in PER_ORG:
            columns = columns_of(connection, table)
            changed = {"org": ORG_OF_COPY} | (_ATTEMPT if table == "attempts" else {})
            taken = ", ".join(changed.get(name, f"t.{name}") for name in columns)
            copied = (
                f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS}"  # noqa: S608
                f" SELECT {taken} FROM n CROSS JOIN (SELECT * FROM {table} WHERE org = :org) t"
            )
            connection.execute(copied, {"count": count, "org": org})
