"""Erasing what was logged: one call or decision, or the words of all that are old.

The chain keeps the hash of an erased entry and a tombstone for its record; an entry appended in the same transaction
says which entries went. So links go on holding, and a record that vanished by any other way is found.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, or_, select, update

from ..database import Database
from ..schema import (
    attempts,
    audit,
    cached_answers,
    calls,
    decisions,
    judged_answers,
    labels,
    memories,
    orgs,
    responses,
)
from ..sqlite_pages import clean_log, delete_securely, rebuild
from .chain import append_entry
from .org_erasure import Erased, calls_under_way, close_doors, erase_org
from .prompts import drop_unused
from .tombstones import TOMBSTONE, deletion_record

_log = logging.getLogger(__name__)

LOGS = (calls, decisions)
GO_WITH_A_CALL = (cached_answers, judged_answers, labels, memories, responses)
"""Tables with org and call id whose rows go with their call. Attempts stay, wordless: they are the org's books."""
CLEANS, CLEANS_EVERY_S = 50, 0.02
"""How often emptying the log of a SQLite file is tried while somebody reads it, and after how many seconds."""


class Erasure:
    """Erases; what money was spent and what was learnt stays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, org: str, call_id: str, *, user_id: str | None = None) -> bool:
        """Delete a logged call or decision: its row, its prompt unless another row refers to it, its chain record.

        Parameters
        ----------
        user_id
            Whose it must be; None = anybody's of the org.

        Returns
        -------
        bool
            False when the org, or that user of it, has none by that id.

        Raises
        ------
        ChainBroken
            When the chain cannot be extended; nothing is deleted then.
        """
        is_deleted = await self._database.transact(
            lambda connection: _delete(connection, org, call_id, user_id)
        )
        if is_deleted:
            await self.clean()
        return is_deleted

    async def close_doors(self, org: str) -> int:
        """Delete an org's keys: none of them opens a call any more; return how many there were."""
        return await self._database.transact(lambda connection: close_doors(connection, org))

    async def calls_under_way(self, org: str) -> int:
        """Return how many calls of an org were begun and are not logged, whichever process has them."""
        return await self._database.query_settled(lambda connection: calls_under_way(connection, org))

    async def delete_org(self, org: str) -> Erased | None:
        """Erase an org from every table, see `org_erasure`; None where nothing was ever kept of it.

        Raises
        ------
        ChainBroken
            When its chain cannot be extended; nothing is deleted then.
        """
        await self._database.catch_up()
        erased = await self._database.transact(lambda connection: erase_org(connection, org))
        if erased is not None:
            await self.clean()
        return erased

    async def count_of_orgs(self) -> int:
        """Return how often any org was erased."""
        query = select(func.sum(orgs.c.erasures)).where(orgs.c.erasures > 0)
        return int(await self._database.query(lambda connection: connection.scalar(query)) or 0)

    async def erased_orgs(self) -> dict[str, int]:
        """Return the orgs that were erased, each with how often."""
        query = select(orgs.c.org, orgs.c.erasures).where(orgs.c.erasures > 0)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return {row.org: row.erasures for row in rows}

    async def forget(self, org: str | None, before: datetime) -> int:
        """Erase what was stored of the words of calls and decisions made before `before`; return how many prompts went.

        Prompts, user ids, responses, those of attempts included, and the vectors made of prompts and answers go; the
        rest of each row stays. `org` None means every org.
        """
        forgotten = await self._database.transact(lambda connection: _forget(connection, org, before))
        if forgotten.rows:
            await self.clean()
        return forgotten.prompts

    async def clean(self) -> None:
        """Take what was deleted out of a SQLite file and its log; Postgres does so when it vacuums.

        Copies that rows left behind when pages were split are out of reach: `rebuild` takes them, too.
        """
        await self._database.give_back()
        if not await self._try(clean_log):
            _log.warning("what was deleted stays in the log of the database until SQLite writes over it")

    async def rebuild(self) -> bool:
        """Write a SQLite file anew, so that no byte of what was deleted is left; other writers wait meanwhile.

        Returns
        -------
        bool
            False when others used the file all the time: try again. On Postgres nothing is done.

        Raises
        ------
        StoreError
            When the database refuses, as where the disk has no room for a second copy.
        """
        return await self._try(rebuild) and await self._try(clean_log)

    async def _try(self, work: Callable[[Connection], bool]) -> bool:
        for _ in range(CLEANS):
            if await self._database.transact(work):
                return True
            await asyncio.sleep(CLEANS_EVERY_S)
        return False


@dataclass(frozen=True, slots=True)
class _Forgotten:
    """How much was erased."""

    prompts: int
    """Calls and decisions that lost theirs."""
    rows: int
    """Rows of any table that lost something."""


def _delete(connection: Connection, org: str, call_id: str, user_id: str | None) -> bool:
    delete_securely(connection)
    for log in LOGS:
        of_call = (log.c.org == org) & (log.c.call_id == call_id)
        mine = of_call if user_id is None else of_call & (log.c.user_id == user_id)
        query = select(log.c.audit_idx, log.c.record_hash, log.c.prompt_sha256).where(mine)
        row = connection.execute(query).one_or_none()
        # On Postgres another transaction may have been faster.
        if row is not None and connection.execute(delete(log).where(mine)).rowcount:
            _delete_what_goes_with_it(connection, org, call_id)
            _bury(connection, org, row.audit_idx, row.record_hash)
            if row.prompt_sha256 is not None:
                drop_unused(connection, org, row.prompt_sha256)
            return True
    return False


def _delete_what_goes_with_it(connection: Connection, org: str, call_id: str) -> None:
    for table in GO_WITH_A_CALL:
        connection.execute(delete(table).where(table.c.org == org, table.c.call_id == call_id))
    of_call = (attempts.c.org == org) & (attempts.c.call_id == call_id) & attempts.c.response.is_not(None)
    connection.execute(update(attempts).where(of_call).values(response=None))


def _bury(connection: Connection, org: str, index: int, record_hash: str) -> None:
    """Put a tombstone in the place of an entry's record, and append the entry that says so."""
    append_entry(connection, org, deletion_record(datetime.now(UTC), [(index, record_hash)]))
    entry = (audit.c.org == org) & (audit.c.idx == index)
    connection.execute(update(audit).where(entry).values(record=TOMBSTONE))


def _forget(connection: Connection, org: str | None, before: datetime) -> _Forgotten:
    delete_securely(connection)

    def erase(table: Table, made: Column[Any], *names: str) -> int:
        """Return how many rows lost a value."""
        is_due = (made < before) & or_(*(table.c[name].is_not(None) for name in names))
        if org is not None:
            is_due &= table.c.org == org
        return connection.execute(update(table).where(is_due).values(dict.fromkeys(names))).rowcount

    forgotten = sum(erase(log, log.c.created_at, "prompt_sha256") for log in LOGS)
    rows = sum(erase(log, log.c.created_at, "user_id") for log in LOGS)
    rows += erase(calls, calls.c.created_at, "inputs")
    rows += erase(attempts, attempts.c.started_at, "response")
    for table in (cached_answers, judged_answers, memories, responses):
        old = delete(table).where(table.c.created_at < before)
        rows += connection.execute(old if org is None else old.where(table.c.org == org)).rowcount
    rows += erase(labels, labels.c.created_at, "note", "corrected_answer")
    if forgotten:
        drop_unused(connection, org)
    return _Forgotten(forgotten, forgotten + rows)
