"""Provider keys that change while the gateway runs: the keys file and `.env` are read again when they change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from ..providers.keyring import Keyring
from ..state.errors import ConfigError

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0


def read_keys(path: str) -> dict[str, str]:
    """Return the NAME=value lines of a keys file; nothing for "".

    Raises
    ------
    ConfigError
        The file cannot be read, or a line of it; the line is not repeated.
    """
    if not path:
        return {}
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"X25_KEYS_FILE: {path} cannot be read ({type(error).__name__})") from error
    wrong = next((one.original.line for one in parse_stream(StringIO(text)) if one.error), None)
    if wrong is not None:  # it may be half of a file: keys that it does not name yet would be dropped
        raise ConfigError(f"X25_KEYS_FILE: line {wrong} of {path} is no NAME=value")
    found = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in found.items() if value is not None}


@asynccontextmanager
async def following_keys(
    keyring: Keyring,
    read: Callable[[], Mapping[str, str]],
    files: tuple[Path, ...],
    every_s: float = LOOK_EVERY_S,
) -> AsyncIterator[None]:
    """Give a keyring what `read` returns whenever one of `files` changes, while the block runs.

    A file that cannot be read leaves the keys as they are. Models are chosen among as at start: a key for one that
    could not be reached then needs a restart.
    """
    task = asyncio.create_task(_follow(keyring, read, files, every_s)) if files else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _follow(
    keyring: Keyring, read: Callable[[], Mapping[str, str]], files: tuple[Path, ...], every_s: float
) -> None:
    seen: list[tuple[int, int, int] | None] = []  # what changed since the keys were first read is seen, too
    while True:
        await asyncio.sleep(every_s)
        marks = await asyncio.to_thread(_marks, files)
        if marks == seen:
            continue
        seen = marks
        try:
            environ = await asyncio.to_thread(read)
        except (ConfigError, OSError, UnicodeDecodeError) as error:
            _log.warning("provider_keys_unreadable: the keys stay as they are: %s", error)
            continue
        if keyring.replace(environ):
            _log.info("provider_keys_replaced: keys were read again from %s", ", ".join(map(str, files)))


def _marks(files: tuple[Path, ...]) -> list[tuple[int, int, int] | None]:
    """Return what changes when a file does, also when another one is put in its place."""
    marks: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            found = file.stat()
            marks.append((found.st_ino, found.st_mtime_ns, found.st_size))
        except OSError:
            marks.append(None)
    return marks
