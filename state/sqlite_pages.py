"""The pages of a SQLite file: what is deleted leaves them, and they leave the file. On Postgres nothing is done."""

import sqlite3
from typing import cast

from sqlalchemy import Connection

INCREMENTAL = 2
"""SQLite's number of that kind of auto-vacuum."""
MOST_PAGES = 1_000
"""Pages given back in one transaction, 4 MB, so that other writers get their turn."""


def give_back(connection: Connection) -> bool:
    """Return up to `MOST_PAGES` pages that nothing uses to the disk; say whether there are more.

    Only a file that was made for it does so, see `sqlite_driver`; Postgres does by itself.
    """
    if connection.dialect.name != "sqlite":
        return False
    raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    if raw.execute("PRAGMA auto_vacuum").fetchone() != (INCREMENTAL,):
        return False
    (free,) = raw.execute("PRAGMA freelist_count").fetchone()
    if free and not raw.in_transaction:
        raw.execute("BEGIN IMMEDIATE")  # one transaction for all, where nothing has begun one
    for _ in range(min(free, MOST_PAGES)):
        raw.execute("PRAGMA incremental_vacuum(1)")  # takes one step in Python, whatever the number
    return bool(free > MOST_PAGES)


def delete_securely(connection: Connection) -> None:
    """Have SQLite overwrite what is deleted from now on, until `clean_log` has succeeded."""
    if connection.dialect.name == "sqlite":
        cast("sqlite3.Connection", connection.connection.dbapi_connection).execute("PRAGMA secure_delete=ON")


def clean_log(connection: Connection) -> bool:
    """Empty the write-ahead log, where what was overwritten in the file still is; say whether that is done.

    It is not while somebody reads what is in the log, nor inside a transaction of others.
    """
    if connection.dialect.name != "sqlite":
        return True
    raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    if raw.in_transaction:
        return False
    (waited_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute("PRAGMA busy_timeout=0")  # to wait here is to keep every other writer waiting
    try:
        (is_busy, _, _) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # the file itself is locked
        return False
    finally:
        raw.execute(f"PRAGMA busy_timeout={waited_ms}")
    if not is_busy:
        raw.execute("PRAGMA secure_delete=OFF")
    return not is_busy


def rebuild(connection: Connection) -> bool:
    """Write a SQLite file anew (VACUUM); say whether that was done, which it is not inside a transaction of others.

    SQLite overwrites what is deleted, but not the copies that rows left behind when pages were split or merged: those
    go when the file is written anew, and while that takes, every other writer waits.
    """
    if connection.dialect.name != "sqlite":
        return True
    raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    if raw.in_transaction:
        return False
    raw.execute("VACUUM")
    return True
