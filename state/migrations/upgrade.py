"""Brings a database to the newest schema, in one transaction, one process at a time.

An empty one is given the newest schema at once; one that an earlier version wrote gets the migrations it has not seen.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Dialect, inspect, make_url, text
from sqlalchemy.schema import CreateIndex, CreateTable

from ..errors import StoreError
from ..schema import metadata

if TYPE_CHECKING:  # Alembic takes 6 MB, and a database at the newest schema does not need it.
    from alembic.runtime.migration import MigrationStep
    from alembic.script import ScriptDirectory

ADVISORY_LOCK = 0x783235
"""Key of the Postgres lock held while migrating: "x25" in ASCII."""

_TABLE = "alembic_version"


def is_newest(connection: Connection) -> bool:
    """Return whether a database has the newest schema already."""
    if not inspect(connection).has_table(_TABLE):
        return False
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalars().all()  # noqa: S608 - a constant
    return found == [_newest_revision()]


def create_schema(connection: Connection) -> bool:
    """Give an empty database the newest schema; return whether it has that now.

    It is what the migrations lead to: those, run one after the other, take ten times as long, and Alembic 6 MB.
    """
    if not inspect(connection).get_table_names():
        _lock(connection)
        # Another process may have been faster while this one waited for the lock.
        if not inspect(connection).get_table_names():
            for statement in _statements(connection.dialect.name):
                connection.exec_driver_sql(statement)
    return is_newest(connection)


@cache
def _statements(dialect_name: str) -> tuple[str, ...]:
    """Return what makes the newest schema, compiled once."""
    dialect: Dialect = make_url(f"{dialect_name}://").get_dialect()()
    tables = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    revision = [
        f"CREATE TABLE {_TABLE} (version_num VARCHAR(32) NOT NULL CONSTRAINT {_TABLE}_pkc PRIMARY KEY)",
        f"INSERT INTO {_TABLE} (version_num) VALUES ('{_newest_revision()}')",  # noqa: S608 - constants
    ]
    return (*tables, *indexes, *revision)


@cache
def _newest_revision() -> str:
    """Return the number that the newest script's file name begins with: its revision."""
    scripts = (Path(__file__).parent / "versions").glob("[0-9]*_*.py")
    return max(script.name.split("_")[0] for script in scripts)


@cache
def load_scripts() -> "ScriptDirectory":
    """Read the migration scripts from disk, once; call it in a thread before an event loop needs them."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    scripts = ScriptDirectory(str(Path(__file__).parent))
    scripts.get_current_head()  # reads every script; until then only the folder was looked at
    return scripts


def upgrade(connection: Connection) -> None:
    """Apply the migrations this database has not seen, inside the connection's transaction.

    Raises
    ------
    StoreError
        When a newer version of x25 wrote the database.
    """
    if is_newest(connection):
        return
    from alembic.operations import Operations  # noqa: PLC0415 - see above
    from alembic.runtime.migration import MigrationContext, MigrationStep  # noqa: PLC0415

    scripts = load_scripts()
    _revision(connection, scripts)
    _lock(connection)
    # Another process may have migrated while this one waited for the lock.
    revision = _revision(connection, scripts) or "base"

    def missing_steps(_heads: Any, _context: MigrationContext) -> "Iterable[MigrationStep]":
        newest_first = list(scripts.iterate_revisions("head", revision))
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, script)
            for script in reversed(newest_first)
        ]

    context = MigrationContext.configure(connection, opts={"fn": missing_steps})
    with Operations.context(context):
        context.run_migrations()


def _revision(connection: Connection, scripts: "ScriptDirectory") -> str | None:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see above

    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the database was written by a newer version of x25 (schema {revision}, this version knows up "
            f"to {scripts.get_current_head()}); upgrade x25 or use another database"
        )
    return revision


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # sqlite3 opens no transaction before DDL by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
