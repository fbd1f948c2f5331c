"""Shared manners of all commands: output, errors, settings."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ..client import X25Error as SDKError
from ..graph.settings import Settings, load_settings
from ..state.database import parse
from ..state.errors import StoreError, X25Error
from ..state.store import Store, open_store

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Database = Annotated[
    str | None,
    typer.Option("--db", help="Database URL or path of a SQLite file (default: X25_DATABASE_URL)."),
]


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(version("x25"))
        raise typer.Exit


def database_url(database: str | None) -> str | None:
    """Return a store URL for what `--db` was given: a URL as it is, a path as a SQLite file."""
    if database is None or "://" in database:
        return database
    return f"sqlite+aiosqlite:///{Path(database)}"


def settings_for(database: str | None = None, **overrides: object) -> Settings:
    """Return the settings with what the command line overrides."""
    return load_settings(None, database_url=database_url(database), **overrides)


async def existing_store(settings: Settings) -> Store:
    """Open the store that a command reads; a mistyped path is no empty database.

    Raises
    ------
    StoreError
        When there is no such file, or it cannot be opened.
    """
    parsed = parse(settings.store_url)
    path = parsed.database
    is_file = parsed.drivername.startswith("sqlite") and path not in {None, "", ":memory:"}
    if is_file and not await asyncio.to_thread(Path(str(path)).exists):
        raise StoreError(f"there is no database at {path}; name one with --db or X25_DATA_DIR")
    return await open_store(settings.store_url)


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Print our own errors as one sentence with exit code 1; a bug keeps its traceback."""
    try:
        yield
    except (X25Error, SDKError) as error:
        err.print(f"[red]error[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        err.print("interrupted")
        raise typer.Exit(130) from None


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run an asynchronous command."""
    with friendly_errors():
        return asyncio.run(work)


def print_json(value: Any) -> None:
    """Print one JSON document for another program."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()
