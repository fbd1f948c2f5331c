"""Answers of an org that were picked by chance and labelled, and what is known of their calls."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select

from ..database import Database
from ..learning.posterior_statements import POOLED
from ..schema import attempts, calls, labels, posteriors

NEWEST_SCORES = 5_000
"""Calls whose scores are averaged, the newest."""
SAMPLED = "audit"
"""Source of labels that were picked evenly where they say no probability."""
_IS_SAMPLED = (labels.c.source == SAMPLED) | labels.c.sampled_prob.is_not(None)


@dataclass(frozen=True, slots=True)
class LabelledCall:
    """A call whose returned answer was labelled."""

    call_id: str
    created_at: datetime
    task_type: str
    model_id: str
    right: float
    sampled_prob: float | None
    """None = picked evenly."""
    score: float | None
    """The call's quality score."""


@dataclass(frozen=True, slots=True)
class ModelAlarm:
    """A model that was found changed."""

    model_id: str
    at: datetime
    count: int


class LabelledCalls:
    """Reads them; one org at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sampled(self, org: str) -> list[LabelledCall]:
        """Return the org's labelled calls that somebody picked to look at, oldest label first, one a call.

        Labels that callers volunteered say nothing of the others and are left out: they have neither a probability nor
        the source "audit".
        """
        returned = (
            (attempts.c.org == labels.c.org) & (attempts.c.call_id == labels.c.call_id)
            & (attempts.c.step == labels.c.step) & (attempts.c.model_id == calls.c.model_id)
            & (attempts.c.kind == "answer") & (attempts.c.status == "finished")
        )  # fmt: skip
        query = (
            select(
                labels.c.call_id, calls.c.created_at, calls.c.task_type, calls.c.model_id, labels.c.right,
                labels.c.sampled_prob, calls.c.quality_score,
            )
            .join(calls, (calls.c.org == labels.c.org) & (calls.c.call_id == labels.c.call_id))
            # A join of all three begins, on SQLite, with every call there is: half a second with 150,000 and no label.
            .where(labels.c.org == org, _IS_SAMPLED, exists().where(returned))
            .order_by(labels.c.created_at, labels.c.call_id, labels.c.source)
        )  # fmt: skip
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        first: dict[str, LabelledCall] = {}
        for row in rows:
            first.setdefault(row.call_id, LabelledCall(*row))
        return list(first.values())

    async def scores(self, org: str, limit: int = NEWEST_SCORES) -> tuple[list[float], datetime | None]:
        """Return the quality scores of the org's newest calls that have one, and when the oldest of them was made."""
        query = (
            select(calls.c.quality_score, calls.c.created_at)
            .where(calls.c.org == org, calls.c.quality_score.is_not(None))
            .order_by(calls.c.created_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [float(row.quality_score) for row in rows], rows[-1].created_at if rows else None

    async def alarms(self, org: str) -> list[ModelAlarm]:
        """Return the models of the org that the drift detector found changed."""
        query = select(posteriors.c.model_id, posteriors.c.drifted_on, posteriors.c.drifts).where(
            posteriors.c.org == org, posteriors.c.task_cell == POOLED, posteriors.c.drifted_on.is_not(None)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [ModelAlarm(*row) for row in rows]

    async def unlabelled(self, org: str, limit: int) -> list[tuple[str, datetime]]:
        """Return id and time of the org's newest answered calls that nobody picked and labelled, newest first.

        What a caller volunteered does not count: leaving those calls out would leave out the complaints.
        """
        same = (labels.c.org == calls.c.org) & (labels.c.call_id == calls.c.call_id)
        known = select(func.count()).where(same, _IS_SAMPLED)
        query = (
            select(calls.c.call_id, calls.c.created_at)
            .where(calls.c.org == org, calls.c.status == "answered", known.scalar_subquery() == 0)
            .order_by(calls.c.created_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [(row.call_id, row.created_at) for row in rows]
