"""Refits that are due: queued with the call that made them due, claimed by one worker, and how they ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, text

from .column_types import UtcMicroseconds
from .database import Database
from .schema import jobs, orgs
from .statements import Statement

FIRST_REFITS = (200, 500, 1_000)
"""Labelled calls at which an org's estimators are fitted again; after the last of them at every doubling."""
ABANDONED_AFTER = timedelta(hours=1)
"""A job that ran longer belongs to a worker that died; it may be claimed again."""

_COUNT = Statement(
    text("UPDATE orgs SET labelled_count = labelled_count + 1 WHERE org = :org RETURNING labelled_count")
)
_QUEUE = text(
    "INSERT INTO jobs (org, labelled, status, created_at) VALUES (:org, :labelled, 'queued', :now)"
    " ON CONFLICT (org, labelled) DO NOTHING"
).bindparams(bindparam("now", type_=UtcMicroseconds))
# Whoever comes second finds the row no longer queued and claims nothing.
_CLAIM = text(
    "UPDATE jobs SET status = 'running', claimed_at = :now WHERE org = :org AND labelled = :labelled"
    " AND (status = 'queued' OR (status = 'running' AND claimed_at < :abandoned)) RETURNING labelled"
).bindparams(bindparam("now", type_=UtcMicroseconds), bindparam("abandoned", type_=UtcMicroseconds))
# A refit reads all calls, so it answers for the smaller counts that wait as well.
_SUPERSEDE = text(
    "UPDATE jobs SET status = 'superseded', finished_at = :now"
    " WHERE org = :org AND labelled < :labelled AND status = 'queued'"
).bindparams(bindparam("now", type_=UtcMicroseconds))
_FINISH = text(
    "UPDATE jobs SET status = :status, finished_at = :now, detail = :detail"
    " WHERE org = :org AND labelled = :labelled AND status = 'running'"
).bindparams(bindparam("now", type_=UtcMicroseconds))
_RELEASE = text(
    "UPDATE jobs SET status = 'queued', claimed_at = NULL"
    " WHERE org = :org AND labelled = :labelled AND status = 'running'"
)


@dataclass(frozen=True, slots=True)
class Job:
    """A refit of one org."""

    org: str
    labelled: int
    """How many labelled calls made it due."""
    status: str = "running"
    """queued, running, done, failed or superseded."""
    detail: str | None = None


def is_refit_due(labelled: int) -> bool:
    """Return whether an org's estimators are to be fitted again at exactly this many labelled calls."""
    doublings, rest = divmod(labelled, FIRST_REFITS[-1])
    return labelled in FIRST_REFITS or (labelled > 0 and rest == 0 and doublings & (doublings - 1) == 0)


def count_label(connection: Connection, org: str, now: datetime) -> int:
    """Count one more labelled call of the org and queue a refit where one is due, in the caller's transaction.

    Returns the org's count. The org must have a row.
    """
    ((labelled,),) = _COUNT.rows(connection, {"org": org})
    if is_refit_due(labelled):
        connection.execute(_QUEUE, {"org": org, "labelled": labelled, "now": now})
    return int(labelled)


class Jobs:
    """Hands each due refit to one worker, whatever the number of processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def labelled_count(self, org: str) -> int:
        """Return how many labelled calls the org has made, 0 for an unknown org."""
        query = select(orgs.c.labelled_count).where(orgs.c.org == org)
        return await self._database.query(lambda connection: connection.scalar(query)) or 0

    async def claim(self, now: datetime) -> Job | None:
        """Take the job that waits longest; None when none waits."""
        abandoned = now - ABANDONED_AFTER
        waiting = (
            select(jobs.c.org, jobs.c.labelled)
            .where((jobs.c.status == "queued") | ((jobs.c.status == "running") & (jobs.c.claimed_at < abandoned)))
            .order_by(jobs.c.created_at, jobs.c.org, jobs.c.labelled.desc())
            .limit(1)
        )  # fmt: skip
        row = await self._database.query(lambda connection: connection.execute(waiting).one_or_none())
        if row is None:
            return None
        wanted = {"org": row.org, "labelled": row.labelled, "now": now}

        def take(connection: Connection) -> bool:
            taken = connection.execute(_CLAIM, wanted | {"abandoned": abandoned}).scalar() is not None
            if taken:
                connection.execute(_SUPERSEDE, wanted)
            return taken

        return Job(row.org, row.labelled) if await self._database.transact(take) else None

    async def finish(self, job: Job, status: str, detail: str, now: datetime) -> None:
        """Note how a claimed job ended: "done" or "failed", and what its worker said last."""
        values = {"org": job.org, "labelled": job.labelled, "status": status, "detail": detail, "now": now}

        def note(connection: Connection) -> None:
            connection.execute(_FINISH, values)

        await self._database.transact(note)

    async def release(self, job: Job) -> None:
        """Put a claimed job back, for the next worker to take."""

        def put_back(connection: Connection) -> None:
            connection.execute(_RELEASE, {"org": job.org, "labelled": job.labelled})

        await self._database.transact(put_back)

    async def list(self, org: str) -> list[Job]:
        """Return the org's jobs, by count."""
        query = (
            select(jobs.c.org, jobs.c.labelled, jobs.c.status, jobs.c.detail)
            .where(jobs.c.org == org)
            .order_by(jobs.c.labelled)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Job(*row) for row in rows]
