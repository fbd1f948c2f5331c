"""Attempts: every provider request, written down before it is made, so that no money is spent unseen."""

from datetime import datetime

from sqlalchemy import bindparam, exists, func, insert, select, update

from .database import Database
from .errors import StoreError
from .records import Attempt
from .schema import attempts, calls, columns_for, values_of

OUTCOME = (
    "status", "cost_nusd", "cost_source", "prompt_tokens", "cached_tokens", "completion_tokens",
    "reasoning_tokens", "latency_ms", "error", "response", "finished_at",
)  # fmt: skip
"""The fields that `finish` writes; the others are settled at the start."""

START = insert(attempts)
SETTLE = update(attempts).where(
    attempts.c.attempt_id == bindparam("this_attempt"), attempts.c.org == bindparam("this_org")
)
"""Writes the columns that the parameters name."""


class Attempts:
    """Reserves, settles and finds provider requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, attempt: Attempt) -> None:
        """Write the attempt down; from here on its reservation counts as spent.

        Raises
        ------
        StoreError
            When the attempt id is taken.
        """
        row = values_of(attempt)
        await self._database.transact(lambda connection: connection.execute(START, row))

    async def finish(self, attempt: Attempt) -> None:
        """Write what came of a started attempt: status, cost, tokens, latency, error, response.

        Raises
        ------
        StoreError
            When it was never started.
        """
        outcome = {name: getattr(attempt, name) for name in OUTCOME}
        row = outcome | {"this_attempt": attempt.attempt_id, "this_org": attempt.org}
        settled = await self._database.transact(lambda connection: connection.execute(SETTLE, row).rowcount)
        if settled != 1:
            raise StoreError(
                f"expected attempt {attempt.attempt_id!r} to have been started, found no such row"
            )

    async def for_call(self, org: str, call_id: str) -> list[Attempt]:
        """Return the call's attempts in the order they were made."""
        query = (
            select(*columns_for(attempts, Attempt))
            .where(attempts.c.org == org, attempts.c.call_id == call_id)
            .order_by(attempts.c.step, attempts.c.started_at, attempts.c.attempt_id)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Attempt(*row) for row in rows]

    async def interrupted_calls(self, before: datetime) -> list[tuple[str, str]]:
        """Return (org, call_id) of calls that were begun and never recorded.

        A call counts when its newest attempt started before `before`: a younger one may still be running.
        """
        recorded = exists().where(calls.c.org == attempts.c.org, calls.c.call_id == attempts.c.call_id)
        newest = func.max(attempts.c.started_at)
        query = (
            select(attempts.c.org, attempts.c.call_id)
            .where(~recorded)
            .group_by(attempts.c.org, attempts.c.call_id)
            .having(newest < before)
            .order_by(newest)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [(row.org, row.call_id) for row in rows]

    async def spent_nusd(self, org: str) -> int:
        """Return what the org has spent in nano-dollars: costs where known, reservations elsewhere."""
        spent = func.coalesce(func.sum(func.coalesce(attempts.c.cost_nusd, attempts.c.reserved_nusd)), 0)
        query = select(spent).where(attempts.c.org == org)
        return int(await self._database.query(lambda connection: connection.scalar(query)) or 0)
