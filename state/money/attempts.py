"""Attempts: every provider request, written down before it is made, so that no money is spent unseen."""

import logging
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ..database import Database, explain
from ..errors import AttemptTaken, StoreError
from ..open_calls import open_call
from ..records import Attempt
from ..schema import attempts, columns_for, values_of
from ..sqlite_thread import Asked
from ..statements import Statement
from .budgets import Charge, reserve, settle

OUTCOME = (
    "status", "cost_nusd", "cost_source", "disputed_nusd", "prompt_tokens", "cached_tokens", "completion_tokens",
    "reasoning_tokens", "latency_ms", "error", "response", "finished_at",
)  # fmt: skip
"""The fields that `finish` writes; the others are settled at the start."""

_log = logging.getLogger(__name__)

NO_CHARGE = Charge()
START = Statement(insert(attempts))
SETTLE = Statement(
    update(attempts).where(
        attempts.c.attempt_id == bindparam("this_attempt"), attempts.c.org == bindparam("this_org")
    ),
    OUTCOME,
)


class Attempts:
    """Reserves, settles and finds provider requests; `holder` names whose lease tells that they are alive."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder
        self._unsure: dict[tuple[str, str], list[Asked[None]]] = {}

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
                START.count(connection, row)
            except IntegrityError as error:
                raise AttemptTaken(f"attempt {attempt.attempt_id!r} was begun before") from error
            open_call(connection, attempt.org, attempt.call_id, self._holder, attempt.started_at)

        await self._database.transact(begin)

    async def finish(self, attempt: Attempt, charge: Charge = NO_CHARGE, tokens: int | None = None) -> None:
        """Write what came of a started attempt: status, cost, tokens, latency, error, response.

        `charge` is the one it was started with; `tokens` are those it took, None = nobody knows, so all it reserved.

        Raises
        ------
        StoreError
            When it was never started.
        """
        await self._database.transact(_settling(attempt, charge, tokens))

    async def finish_later(
        self, attempt: Attempt, charge: Charge = NO_CHARGE, tokens: int | None = None
    ) -> None:
        """Have written what came of an attempt, as `finish` does, before all that is asked of the store from now on.

        On SQLite it is in the database once anything asked for later is. Where it cannot be written, that is logged,
        and whoever records the call is told: see `unsure`.
        """
        asked = await self._database.transact_later(_settling(attempt, charge, tokens))
        of_call = attempt.org, attempt.call_id
        self._unsure.setdefault(of_call, []).append(asked)

        def told(future: Future[None]) -> None:
            if (error := future.exception()) is None:
                mine = self._unsure.get(of_call, [])
                if asked in mine:
                    mine.remove(asked)
                if not mine:
                    self._unsure.pop(of_call, None)
                return
            reason = explain(error) if isinstance(error, SQLAlchemyError) else str(error)
            _log.error("what came of attempt %s cannot be written: %s", attempt.attempt_id, reason)

        asked.future.add_done_callback(told)

    def unsure(self, org: str, call_id: str) -> Sequence[Asked[None]]:
        """Return what `finish_later` wrote of a call that is not known to be in the database; each is returned once.

        In a transaction that is asked for after this, each has succeeded or has its `error`.
        """
        return self._unsure.pop((org, call_id), ())

    async def for_call(self, org: str, call_id: str) -> list[Attempt]:
        """Return the call's attempts in the order they were made."""
        query = (
            select(*columns_for(attempts, Attempt))
            .where(attempts.c.org == org, attempts.c.call_id == call_id)
            .order_by(attempts.c.step, attempts.c.started_at, attempts.c.attempt_id)
        )
        rows = await self._database.query_settled(lambda connection: connection.execute(query).all())
        return [Attempt(*row) for row in rows]

    async def spent_nusd(self, org: str) -> int:
        """Return what the org has spent in nano-dollars: costs where known, reservations elsewhere."""
        spent = func.coalesce(func.sum(func.coalesce(attempts.c.cost_nusd, attempts.c.reserved_nusd)), 0)
        query = select(spent).where(attempts.c.org == org)
        return int(await self._database.query_settled(lambda connection: connection.scalar(query)) or 0)

    async def tokens_of_call(self, org: str, call_id: str) -> int:
        """Return how many tokens the answers of a call took, prompts included."""
        taken = func.coalesce(func.sum(attempts.c.prompt_tokens + attempts.c.completion_tokens), 0)
        query = select(taken).where(
            attempts.c.org == org, attempts.c.call_id == call_id, attempts.c.kind == "answer"
        )
        return int(await self._database.query_settled(lambda connection: connection.scalar(query)) or 0)

    async def byok_nusd(self, org: str | None) -> int:
        """Return what was asked with the own provider keys of an org, or of all for None, in nano-dollars."""
        spent = func.coalesce(func.sum(func.coalesce(attempts.c.cost_nusd, attempts.c.reserved_nusd)), 0)
        query = select(spent).where(attempts.c.byok_key.is_not(None))
        query = query if org is None else query.where(attempts.c.org == org)
        return int(await self._database.query_settled(lambda connection: connection.scalar(query)) or 0)

    async def disputed_nusd(self, org: str | None) -> int:
        """Return what was billed to an org, or to all for None, and not believed, in nano-dollars."""
        query = select(func.coalesce(func.sum(attempts.c.disputed_nusd), 0)).where(
            attempts.c.disputed_nusd > 0
        )
        query = query if org is None else query.where(attempts.c.org == org)
        return int(await self._database.query_settled(lambda connection: connection.scalar(query)) or 0)


def _settling(attempt: Attempt, charge: Charge, tokens: int | None) -> Callable[[Connection], None]:
    outcome: dict[str, Any] = {name: getattr(attempt, name) for name in OUTCOME}
    row = outcome | {"this_attempt": attempt.attempt_id, "this_org": attempt.org}

    def end(connection: Connection) -> None:
        change_tokens = 0 if tokens is None else tokens - charge.tokens
        settle(connection, attempt.org, charge, attempt.spent_nusd - attempt.reserved_nusd, change_tokens)
        if SETTLE.count(connection, row) != 1:
            raise StoreError(
                f"expected attempt {attempt.attempt_id!r} to have been started, found no such row"
            )

    return end
