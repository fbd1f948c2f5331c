"""Words that passed their days leave folders of training data, as those of erased calls do."""

import asyncio
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

from ..state.store import Store
from .settings import Settings
from .training_erasure import Unlearnt, erase_lines, is_begun
from .training_folders import CALLS, folders_of

_log = logging.getLogger(__name__)


class TrainingDays:
    """Looks through the folders of one data folder for lines whose calls' words the log keeps no more.

    The log decides, so that what another process, or an earlier one that died half-way, had it forget goes as well. A
    job that writes a folder meanwhile asks the log once the folder is there: one of both sees the other.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._told: set[str] = set()

    async def pass_by(self, org: str | None = None, before: datetime | None = None) -> Unlearnt:
        """Take the lines out of an org's folders, of everybody's for None, and say what may be left.

        Parameters
        ----------
        before
            A folder that does not say which line came of which call goes as a whole where it was made before this: all
            of its calls were.
        """
        calls, found = await asyncio.to_thread(self._calls, org, before)
        for one, call_ids in calls.items():
            if gone := await self._store.improvements.wordless(one, call_ids):
                found += await asyncio.to_thread(erase_lines, self._settings, one, gone)
        if found.lines:
            _log.info("took %d lines of training data whose words passed their days", found.lines)
        for folder in found.unsure:
            if folder not in self._told:
                self._told.add(folder)
                _log.warning("training data may hold words that passed their days: %s", folder)
        return found

    def _calls(self, org: str | None, before: datetime | None) -> tuple[dict[str, set[str]], Unlearnt]:
        """Return the calls that folders say they were made of, by org."""
        calls: dict[str, set[str]] = {}
        found = Unlearnt()
        try:
            folders = folders_of(self._settings, org)
        except OSError as error:
            return calls, Unlearnt(unsure=(f"{self._settings.data_dir / 'improve'}: {error.strerror}",))
        for folder in folders:
            try:
                if is_begun(folder):
                    continue
                named = _named_in(folder)
                if named is not None:
                    calls.setdefault(folder.parent.name, set()).update(named)
                elif before is not None and _made_at(folder) < before:
                    shutil.rmtree(folder)
                    _log.info("deleted %s, which does not say of which calls it was made", folder)
            except OSError as error:
                found += Unlearnt(unsure=(f"{folder}: {error.strerror}",))
        return calls, found


def _named_in(folder: Path) -> set[str] | None:
    """Return the calls of a folder's lines; None where it does not say, or cannot be read as it was written."""
    index = folder / CALLS
    if not index.is_file():
        return None
    try:
        rows = [json.loads(line) for line in index.read_bytes().split(b"\n") if line]
        return {str(row["call_id"]) for row in rows}
    except (ValueError, TypeError, KeyError):
        return None


def _made_at(folder: Path) -> datetime:
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC)
