"""Labels: what became known of an answer after it was given, and what that says of the judge who scored it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..database import Database
from ..errors import InvalidRequest, NotFound
from ..schema import attempts, calls, evidence_log, labels, posteriors
from .judge_tables import count_label
from .posteriors import POOLED

LabelSource = Literal["feedback", "audit", "check"]
"""Who says so: the caller, somebody who looked at a sample, or a check that was run."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of a label."""

    step: int
    """Answer of the call it belongs to: 0 = the first."""
    is_new: bool
    """False for a repetition, which changes nothing."""
    judge: str | None
    """Judge whose counts it moved; None where no judge had scored the answer."""
    score: float | None
    """That judge's score."""


class _AlreadyLabelled(Exception):
    """The label is on record; what this transaction did is undone."""


class Labels:
    """Adds labels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(  # noqa: PLR0913 - one label, spelled out
        self,
        org: str,
        call_id: str,
        *,
        right: float,
        source: LabelSource,
        edges: Sequence[float],
        step: int | None = None,
    ) -> Labelled:
        """Keep how right an answer was, and count that for the judge who scored it, in one transaction.

        One label is kept per answer and source; the first one stays. Two sources count twice. Where no judge scored
        the answer and free checks alone taught of its model, the label takes the place of what they taught.

        Parameters
        ----------
        right
            0 (wrong) to 1 (right).
        edges
            Inner edges of the score bins the judge is counted in, rising.
        step
            Answer of the call; None = the one that was returned.

        Raises
        ------
        InvalidRequest
            If `right` is outside [0, 1] or the source unknown.
        NotFound
            If the org has no such call, or the call no such answer.
        """
        if not 0.0 <= right <= 1.0:
            raise InvalidRequest(f"right must be between 0 and 1, got {right!r}", field="right")
        if source not in get_args(LabelSource):
            known = ", ".join(get_args(LabelSource))
            raise InvalidRequest(f"source must be one of {known}, got {source!r}", field="source")
        row = {"org": org, "call_id": call_id, "right": float(right), "source": source}
        answered = await self._answered_step(org, call_id, step)
        scored = await self._scored_by(org, call_id, answered)

        def add(connection: Connection) -> None:
            _insert_once(connection, row | {"step": answered, "created_at": datetime.now(UTC)})
            if scored is not None:
                judge, score = scored
                count_label(connection, org, judge, edges, bisect_right(list(edges), score), float(right))
            else:
                _teach(connection, org, call_id, answered, float(right))

        try:
            await self._database.transact(add)
        except _AlreadyLabelled:
            return Labelled(answered, False, *(scored or (None, None)))
        return Labelled(answered, True, *(scored or (None, None)))

    async def count(self, org: str) -> int:
        """Return how many labels the org has given."""
        query = select(func.count()).select_from(labels).where(labels.c.org == org)
        found: int = await self._database.query(lambda connection: connection.scalars(query).one())
        return found

    async def of_first_answers(self, org: str) -> dict[str, float]:
        """Return how right each labelled first answer was, by call id; the mean where several sources said so."""
        query = (
            select(labels.c.call_id, func.avg(labels.c.right))
            .where(labels.c.org == org, labels.c.step == 0)
            .group_by(labels.c.call_id)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return {call_id: float(right) for call_id, right in rows}

    async def _answered_step(self, org: str, call_id: str, step: int | None) -> int:
        """Return the step to label, once it is known to hold an answer."""
        of_call = (attempts.c.org == org) & (attempts.c.call_id == call_id)
        query = select(func.max(attempts.c.step)).where(
            of_call, attempts.c.kind == "answer", attempts.c.status == "finished"
        )
        if step is None:
            returned = select(calls.c.model_id).where(calls.c.org == org, calls.c.call_id == call_id)
            query = query.where(attempts.c.model_id == returned.scalar_subquery())
        else:
            query = query.where(attempts.c.step == step)

        found: int | None = await self._database.query(lambda connection: connection.scalars(query).one())
        if found is None:
            which = "" if step is None else f" at step {step}"
            raise NotFound(f"org {org!r} has no call {call_id!r} with an answer{which}")
        return found

    async def _scored_by(self, org: str, call_id: str, step: int) -> tuple[str, float] | None:
        """Return the judge of an answer and its score; None where no judge scored it."""
        same = (
            (attempts.c.org == evidence_log.c.org)
            & (attempts.c.call_id == evidence_log.c.call_id)
            & (attempts.c.step == evidence_log.c.step)
        )
        query = (
            select(attempts.c.model_id, evidence_log.c.success)
            .join(evidence_log, same)
            .where(attempts.c.org == org, attempts.c.call_id == call_id, attempts.c.step == step)
            .where(attempts.c.kind == "judge", attempts.c.status == "finished")
        )
        row = await self._database.query(lambda connection: connection.execute(query).first())
        return None if row is None else (row.model_id, row.success)


def _insert_once(connection: Connection, row: dict[str, Any]) -> None:
    try:
        connection.execute(insert(labels), row)
    except IntegrityError as error:
        raise _AlreadyLabelled from error


def _teach(connection: Connection, org: str, call_id: str, step: int, right: float) -> None:
    """Put a label in the place of what an answer taught of its arm; of an answer that taught nothing, nothing."""
    taught = (evidence_log.c.org == org) & (evidence_log.c.call_id == call_id) & (evidence_log.c.step == step)
    row = connection.execute(select(evidence_log).where(taught)).first()
    if row is None:
        return
    more = right - row.success
    reward = 0.0 if row.reward is None else right - row.reward
    connection.execute(
        update(posteriors)
        .where(posteriors.c.org == org, posteriors.c.model_id == row.model_id)
        .where(posteriors.c.task_cell.in_([row.task_cell, POOLED]))
        .values(
            successes=posteriors.c.successes + more,
            failures=posteriors.c.failures - more,
            reward_sum=posteriors.c.reward_sum + reward,
            reward_total=posteriors.c.reward_total + reward,
        )
    )
    as_labelled = {"success": right, "failure": 1.0 - right}
    if row.reward is not None:
        as_labelled["reward"] = right
    connection.execute(update(evidence_log).where(taught).values(as_labelled))
