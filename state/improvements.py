"""Jobs that gather an org's training data: asked for, worked on by one process, and how they ended."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from .audit.sums import LOOKED_AT
from .database import Database
from .errors import InvalidRequest, NotFound
from .schema import attempts, calls, columns_for, improvements, labels, training_opt_outs

ABANDONED_AFTER = timedelta(seconds=60)
"""A job whose worker has not been seen for so long belongs to one that died; another may take it."""
CALLS_A_QUERY = 500
"""Ids that one query names, below what any SQLite takes."""
Status = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Improvement:
    """One job."""

    org: str
    job_id: str
    status: Status
    created_at: datetime
    seen_at: datetime | None
    """When its worker last said how far it is."""
    finished_at: datetime | None
    options: dict[str, Any]
    phase: str
    done: int
    total: int
    """Calls to look at; `done` of them were."""
    detail: str | None = None
    """Why it failed."""
    result: dict[str, Any] | None = None
    """What it wrote, without a word of any call."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A call as far as the log tells of it: whether its answer may be trained on."""

    call_id: str
    created_at: datetime
    model_id: str
    task_type: str
    quality_score: float
    quality_source: str
    is_simulated: bool
    has_prompt: bool
    right: float | None = field(default=None)
    """Mean of the labels of the returned answer; None without any."""

    @property
    def is_looked_at(self) -> bool:
        """Whether a judge or a check saw the answer; its score is an estimate otherwise."""
        return self.quality_source in LOOKED_AT


class Improvements:
    """Queues and hands out jobs; each is worked on by one process, whatever their number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, org: str, options: dict[str, Any], now: datetime) -> tuple[Improvement, bool]:
        """Queue a job, or return the open one of the same options; the second value says whether it is new.

        Raises
        ------
        InvalidRequest
            When a job of other options is open.
        """
        job_id = f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(4)}"
        row = {
            "org": org, "job_id": job_id, "status": "queued", "created_at": now, "options": options,
            "phase": "queued", "done": 0, "total": 0, "open_of": org,
        }  # fmt: skip

        def queue(connection: Connection) -> bool:
            try:
                connection.execute(insert(improvements), row)
            except IntegrityError:
                return False
            return True

        if await self._database.transact(queue):
            return await self.get(org, job_id), True
        open_one = await self.open_job(org)
        if open_one is None:  # it ended in between
            return await self.ask(org, options, now)
        if open_one.options != options:
            raise InvalidRequest(
                f"job {open_one.job_id} is under way with other options ({open_one.options}); wait until it ends",
                field="project",
            )
        return open_one, False

    async def open_job(self, org: str) -> Improvement | None:
        """Return the job of the org that waits or is worked on."""
        query = select(*columns_for(improvements, Improvement)).where(improvements.c.open_of == org)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _improvement(row)

    async def get(self, org: str, job_id: str) -> Improvement:
        """Return a job of the org; NotFound where it has none of that id."""
        query = select(*columns_for(improvements, Improvement)).where(_is(org, job_id))
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise NotFound(f"org {org!r} has no job {job_id!r}")
        return _improvement(row)

    async def newest(self, org: str, limit: int = 50) -> list[Improvement]:
        """Return the org's newest jobs, newest first."""
        query = (
            select(*columns_for(improvements, Improvement))
            .where(improvements.c.org == org)
            .order_by(improvements.c.job_id.desc())
            .limit(limit)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [_improvement(row) for row in rows]

    async def since(self, org: str, made_at: datetime | None) -> list[Improvement]:
        """Return the org's jobs that ended after a time, all of them for None."""
        query = select(*columns_for(improvements, Improvement)).where(improvements.c.org == org)
        if made_at is not None:
            query = query.where(improvements.c.finished_at > made_at)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [_improvement(row) for row in rows]

    async def claim(self, now: datetime, job: Improvement | None = None) -> Improvement | None:
        """Take the job that waits longest, or one whose worker died; None when there is none.

        With `job` that one or none is taken.
        """
        is_free = (improvements.c.status == "queued") | (
            (improvements.c.status == "running") & (improvements.c.seen_at < now - ABANDONED_AFTER)
        )
        waiting = (
            select(improvements.c.org, improvements.c.job_id)
            .where(improvements.c.open_of.is_not(None), is_free)
            .order_by(improvements.c.job_id)
            .limit(1)
        )
        if job is not None:
            waiting = waiting.where(_is(job.org, job.job_id))
        row = await self._database.query(lambda connection: connection.execute(waiting).one_or_none())
        if row is None:
            return None
        taken = update(improvements).where(_is(row.org, row.job_id), is_free)
        taken = taken.values(status="running", seen_at=now, phase="starting", done=0)
        mine = await self._database.transact(lambda connection: connection.execute(taken).rowcount == 1)
        return await self.get(row.org, row.job_id) if mine else None

    async def note(self, job: Improvement, now: datetime, phase: str, done: int, total: int) -> bool:
        """Say how far a job is, and that its worker lives; False where it is no longer to be worked on."""
        noted = update(improvements).where(_is(job.org, job.job_id), improvements.c.status == "running")
        noted = noted.values(seen_at=now, phase=phase, done=done, total=total)
        return await self._database.transact(lambda connection: connection.execute(noted).rowcount == 1)

    async def finish(
        self,
        job: Improvement,
        now: datetime,
        *,
        result: dict[str, Any] | None = None,
        detail: str | None = None,
    ) -> bool:
        """Note how a job ended: with a result, or with the reason why there is none. The first word counts."""
        ended = update(improvements).where(_is(job.org, job.job_id), improvements.c.open_of.is_not(None))
        ended = ended.values(
            status="failed" if result is None else "done", phase="ended", seen_at=now, finished_at=now,
            result=result, detail=detail, open_of=None,
        )  # fmt: skip
        return await self._database.transact(lambda connection: connection.execute(ended).rowcount == 1)

    async def put_back(self, job: Improvement) -> None:
        """Give a job that was begun to the next worker."""
        back = update(improvements).where(_is(job.org, job.job_id), improvements.c.status == "running")
        back = back.values(status="queued", phase="queued", seen_at=None, done=0)
        await self._database.transact(lambda connection: connection.execute(back))

    async def forget(self, org: str, job_id: str) -> bool:
        """Delete the row of a job that has ended; False where there is none."""
        gone = delete(improvements).where(_is(org, job_id), improvements.c.open_of.is_(None))
        return await self._database.transact(lambda connection: connection.execute(gone).rowcount == 1)

    async def opt_out(self, org: str, now: datetime | None) -> None:
        """Have none of the org's calls gathered any more from `now` on; None takes that back."""

        def choose(connection: Connection) -> None:
            connection.execute(delete(training_opt_outs).where(training_opt_outs.c.org == org))
            if now is not None:
                connection.execute(insert(training_opt_outs), {"org": org, "since": now})

        await self._database.transact(choose)

    async def opted_out_since(self, org: str) -> datetime | None:
        """Return since when the org's calls may not be trained on; None where they may."""
        query = select(training_opt_outs.c.since).where(training_opt_outs.c.org == org)
        return await self._database.query(lambda connection: connection.scalar(query))

    async def rated(self, org: str, min_quality: float) -> list[Rated]:
        """Return the org's answered calls whose score is above `min_quality`, oldest first."""
        returned = (
            select(func.max(attempts.c.step))
            .where(attempts.c.org == calls.c.org, attempts.c.call_id == calls.c.call_id)
            .where(attempts.c.model_id == calls.c.model_id, attempts.c.kind == "answer")
            .scalar_subquery()
        )
        right = (
            select(func.avg(labels.c.right))
            .where(
                labels.c.org == calls.c.org, labels.c.call_id == calls.c.call_id, labels.c.step == returned
            )
            .scalar_subquery()
        )
        query = (
            select(
                calls.c.call_id, calls.c.created_at, calls.c.model_id, calls.c.task_type, calls.c.quality_score,
                calls.c.quality_source, calls.c.simulated, calls.c.prompt_sha256.is_not(None), right,
            )
            .where(calls.c.org == org, calls.c.status == "answered", calls.c.quality_score > min_quality)
            .order_by(calls.c.created_at, calls.c.call_id)
        )  # fmt: skip
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Rated(*row) for row in rows]

    async def wordless(self, org: str, call_ids: Collection[str]) -> set[str]:
        """Return which of these calls are in the org's log without a prompt: it keeps their words no more."""
        names = sorted(call_ids)
        wordless = select(calls.c.call_id).where(calls.c.org == org, calls.c.prompt_sha256.is_(None))

        def look(connection: Connection) -> set[str]:
            found = set[str]()
            for start in range(0, len(names), CALLS_A_QUERY):
                some = calls.c.call_id.in_(names[start : start + CALLS_A_QUERY])
                found.update(connection.scalars(wordless.where(some)))
            return found

        return await self._database.query(look)

    async def mean_difficulty(self, org: str) -> float:
        """Return the mean difficulty of the org's prompts, logits; 0 without any."""
        query = select(func.avg(calls.c.difficulty)).where(calls.c.org == org)
        found: float | None = await self._database.query(lambda connection: connection.scalars(query).one())
        return 0.0 if found is None else float(found)

    async def prompts_kept(self, org: str) -> int:
        """Return how many answered calls of the org have their prompt in the store."""
        query = (
            select(func.count())
            .select_from(calls)
            .where(calls.c.org == org, calls.c.status == "answered", calls.c.prompt_sha256.is_not(None))
        )
        found: int = await self._database.query(lambda connection: connection.scalars(query).one())
        return found


def _is(org: str, job_id: str) -> Any:
    return (improvements.c.org == org) & (improvements.c.job_id == job_id)


def _improvement(row: Row[Any]) -> Improvement:
    return Improvement(**row._asdict())
