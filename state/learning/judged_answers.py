"""What an org's judged answers looked like, without a word of them: what its own free verifier is fitted on."""

import logging
from asyncio import Future
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ..database import Database, explain
from ..schema import calls, columns_for, judged_answers, labels, values_of
from ..statements import Statement

_log = logging.getLogger(__name__)

_INSERT = Statement(insert(judged_answers))


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """One answer a judge scored."""

    org: str
    call_id: str
    step: int
    """0 for the first answer of the call, then up."""
    created_at: datetime
    """When the call began."""
    task_cell: str
    model_id: str
    tier: str
    features: bytes
    """`routing.answer.features` as little-endian half precision."""
    features_id: str
    """Names what the features are: another version's are not mixed in."""
    prior_prob: float
    """P(right) by the prompt alone."""
    score_bin: int
    """Bin of the judge's score."""
    judge: str


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """A seen answer with what became known of it."""

    seen: SeenAnswer
    right: float | None
    """What people and checks said, 0 to 1, averaged; None = only the judge looked."""
    inputs: bytes | None
    """The prompt's vector, where it was kept: calls of equal prompts share it."""
    counts: float = 1.0
    """What the label counts, 0 to 1."""


class _AlreadyKept(Exception):
    """The answer is on record; what this transaction did is undone."""


class JudgedAnswers:
    """Keeps them; one an answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, seen: SeenAnswer) -> bool:
        """Keep one answer; False where it was kept before."""
        try:
            await self._database.transact(lambda connection: _insert_once(connection, seen))
        except _AlreadyKept:
            return False
        return True

    async def keep_later(self, seen: SeenAnswer) -> None:
        """Have one answer kept, where it was not before, without waiting for it; what hinders it is logged."""
        asked = await self._database.transact_later(lambda connection: _insert_once(connection, seen))

        def told(future: Future[None]) -> None:
            if (error := future.exception()) is None or isinstance(error, _AlreadyKept):
                return
            reason = explain(error) if isinstance(error, SQLAlchemyError) else str(error)
            _log.warning("what a judged answer of org %s looked like is not kept: %s", seen.org, reason)

        asked.future.add_done_callback(told)

    async def newest(self, org: str, limit: int) -> list[LabelledAnswer]:
        """Return the org's newest `limit` answers, oldest first."""
        same = (labels.c.org == judged_answers.c.org) & (labels.c.call_id == judged_answers.c.call_id)
        right = select(func.avg(labels.c.right)).where(same, labels.c.step == judged_answers.c.step)
        query = (
            select(*columns_for(judged_answers, SeenAnswer), right.scalar_subquery(), calls.c.inputs)
            .join(
                calls,
                (calls.c.org == judged_answers.c.org) & (calls.c.call_id == judged_answers.c.call_id),
                isouter=True,
            )
            .where(judged_answers.c.org == org)
            .order_by(
                judged_answers.c.created_at.desc(),
                judged_answers.c.call_id.desc(),
                judged_answers.c.step.desc(),
            )
            .limit(limit)
        )
        rows = await self._database.query_settled(lambda connection: connection.execute(query).all())
        return [LabelledAnswer(SeenAnswer(*row[:-2]), *row[-2:]) for row in reversed(rows)]


def _insert_once(connection: Connection, seen: SeenAnswer) -> None:
    try:
        _INSERT.count(connection, values_of(seen))
    except IntegrityError as error:
        raise _AlreadyKept from error
