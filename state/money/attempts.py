"""Attempts: every provider request, written down before it is made, so that no money is spent unseen."""

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..database import Database
from ..errors import AttemptTaken, StoreError
from ..open_calls import open_call
from ..records import Attempt
from ..schema import attempts, columns_for, values_of
from .budgets import Charge, reserve, settle

OUTCOME = (
    "status", "cost_nusd", "cost_source", "disputed_nusd", "prompt_tokens", "cached_tokens", "completion_tokens",
    "reasoning_tokens", "latency_ms", "error", "response", "finished_at",
)  # fmt: skip
"""The fields that `finish` writes; the others are settled at the start."""

NO_CHARGE = Charge()
START = insert(attempts)
SETTLE = update(attempts).where(
    attempts.c.attempt_id == bindparam("this_attempt"), attempts.c.org == bindparam("this_org")
)
"""Writes the columns that the parameters name."""


class Attempts:
    """Reserves, settles and finds provider requests; `holder` names whose lease tells that they are alive."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def start(self, attempt: Attempt, charge: Charge = NO_CHARGE, *, opens_call: bool = False) -> None:
        """Write the attempt down; from here on its reservation counts as spent, also in the budgets of `charge`.

        `opens_call` says that it is the first of its call.

        Raises
        ------
        OverBudget
            When a budget leaves too little room; the attempt is not written down then and must not be made.
        AttemptTaken
            When the attempt id is taken; nothing is reserved then.
        """
        row = values_of(attempt)

        def begin(connection: Connection) -> None:
            reserve(connection, attempt.org, charge, attempt.reserved_nusd, opens_call=opens_call)
            try:
                connection.execute(START, row)
            except IntegrityError as error:
                raise AttemptTaken(f"attempt {attempt.attempt_id!r} was begun before") from error
            open_call(connection, attempt.org, attempt.call_id, self._holder, attempt.started_at)

        await self._database.transact(begin)

    async def finish(self, attempt: Attempt, charge: Charge = NO_CHARGE) -> None:
        """Write what came of a started attempt: status, cost, tokens, latency, error, response.

        `charge` is the one it was started with.

        Raises
        ------
        StoreError
            When it was never started.
        """
        outcome = {name: getattr(attempt, name) for name in OUTCOME}
        row = outcome | {"this_attempt": attempt.attempt_id, "this_org": attempt.org}

        def end(connection: Connection) -> None:
            settle(connection, attempt.org, charge, attempt.spent_nusd - attempt.reserved_nusd)
            if connection.execute(SETTLE, row).rowcount != 1:
                raise StoreError(
                    f"expected attempt {attempt.attempt_id!r} to have been started, found no such row"
                )

        await self._database.transact(end)

    async def for_call(self, org: str, call_id: str) -> list[Attempt]:
        """Return the call's attempts in the order they were made."""
        query = (
            select(*columns_for(attempts, Attempt))
            .where(attempts.c.org == org, attempts.c.call_id == call_id)
            .order_by(attempts.c.step, attempts.c.started_at, attempts.c.attempt_id)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Attempt(*row) for row in rows]

    async def spent_nusd(self, org: str) -> int:
        """Return what the org has spent in nano-dollars: costs where known, reservations elsewhere."""
        spent = func.coalesce(func.sum(func.coalesce(attempts.c.cost_nusd, attempts.c.reserved_nusd)), 0)
        query = select(spent).where(attempts.c.org == org)
        return int(await self._database.query(lambda connection: connection.scalar(query)) or 0)

    async def disputed_nusd(self, org: str | None) -> int:
        """Return what was billed to an org, or to all for None, and not believed, in nano-dollars."""
        query = select(func.coalesce(func.sum(attempts.c.disputed_nusd), 0)).where(
            attempts.c.disputed_nusd > 0
        )
        query = query if org is None else query.where(attempts.c.org == org)
        return int(await self._database.query(lambda connection: connection.scalar(query)) or 0)
