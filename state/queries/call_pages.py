"""Calls as pages show them: some at a time over everything, one by its id, and the newest ones for spreads.

How many calls fit a filter, and on which days, is known from the sums by day; so a page reads the days it needs and
no others, however long the log is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ..database import Database
from ..records import Attempt, Call
from ..savings import paid, saved
from ..schema import attempts, calls, columns_for, day_sums
from .periods import Period

NEWEST = 2_000
"""Calls that quality by kind of task is told of, and the dearest are looked for in."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls: of an org, or of all for None, of a period, and where named of one model or tier."""

    org: str | None
    period: Period
    model_id: str | None = None
    """"none" = no answer was bought; so of `tier`."""
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call as a row of a table."""

    org: str
    call_id: str
    created_at: datetime
    status: str
    task_type: str
    model_id: str | None
    tier: str | None
    cost_nusd: int
    judge_cost_nusd: int
    reference_cost_nusd: int
    quality_score: float | None
    quality_source: str
    latency_ms: float
    escalations: int
    fallbacks: int
    propensity: float
    router: str
    simulated: bool

    @property
    def paid_nusd(self) -> int:
        """Everything the call cost, judge included."""
        return paid(self.cost_nusd, self.judge_cost_nusd)

    @property
    def saved_nusd(self) -> int:
        """What was saved against the reference, judge included."""
        return saved(self.reference_cost_nusd, self.paid_nusd)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins or ends: the call there."""

    created_at: datetime
    org: str
    call_id: str

    @classmethod
    def of(cls, line: CallLine) -> "Place":
        """Return the place of a row."""
        return cls(line.created_at, line.org, line.call_id)


Toward = Literal["older", "newer"]


class CallPages:
    """Reads the call log for pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, wanted: CallFilter) -> int:
        """Return how many calls fit, from the sums."""
        query = select(func.coalesce(func.sum(day_sums.c.total_calls), 0)).where(*_in_sums(wanted))
        return int(await self._database.query(lambda connection: connection.scalar(query)) or 0)

    async def page(
        self, wanted: CallFilter, limit: int, start: Place | None = None, toward: Toward = "older"
    ) -> list[CallLine]:
        """Return the next calls beyond `start`, newest first; from the newest, or the oldest, without one."""
        lines = await self._database.query(
            lambda connection: _read_page(connection, wanted, limit, start, toward)
        )
        return lines if toward == "older" else lines[::-1]

    async def newest(self, wanted: CallFilter, limit: int = NEWEST) -> list[CallLine]:
        """Return the newest calls that fit, newest first."""
        return await self.page(wanted, limit)

    async def dearest(self, wanted: CallFilter, limit: int = 10) -> list[CallLine]:
        """Return the dearest of the newest calls that fit, dearest first."""
        found = await self.newest(wanted)
        return sorted(found, key=lambda one: -one.paid_nusd)[:limit]

    async def find(self, orgs: Sequence[str] | None, call_id: str) -> Call | None:
        """Return a call by its id, of one of these orgs, or of any for None."""
        of_orgs = () if orgs is None else (calls.c.org.in_(orgs),)
        query = select(*columns_for(calls, Call)).where(calls.c.call_id == call_id, *of_orgs).limit(1)
        row = await self._database.query(lambda connection: connection.execute(query).first())
        return None if row is None else Call(*row)

    async def find_ending(self, orgs: Sequence[str] | None, ending: str) -> list[Call]:
        """Return calls whose id ends so, two at most, of these orgs, or of any for None.

        Reads the ids of all of them: for a search that somebody asks for, not for what a page does by itself.
        """
        of_orgs = () if orgs is None else (calls.c.org.in_(orgs),)
        # Ids alone are in the index; with the other columns the whole table would be read.
        query = (
            select(calls.c.org, calls.c.call_id)
            .where(calls.c.call_id.endswith(ending, autoescape=True), *of_orgs)
            .order_by(calls.c.org, calls.c.call_id)
            .limit(2)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        found = [await self.find([row.org], row.call_id) for row in rows]
        return [one for one in found if one is not None]

    async def place_in_chain(self, org: str, call_id: str) -> int | None:
        """Return the index of the call's entry in the org's audit chain."""
        query = select(calls.c.audit_idx).where(calls.c.org == org, calls.c.call_id == call_id)
        return await self._database.query(lambda connection: connection.scalar(query))

    async def attempts(self, org: str, call_id: str) -> list[Attempt]:
        """Return the call's provider requests in the order in which they were made."""
        query = (
            select(*columns_for(attempts, Attempt))
            .where(attempts.c.org == org, attempts.c.call_id == call_id)
            .order_by(attempts.c.started_at, attempts.c.attempt_id)
        )
        rows = await self._database.query_settled(lambda connection: connection.execute(query).all())
        return [Attempt(*row) for row in rows]


def _in_sums(wanted: CallFilter) -> list[ColumnElement[bool]]:
    first, last = wanted.period.first.isoformat(), wanted.period.last.isoformat()
    named = {"org": wanted.org, "model_id": wanted.model_id, "tier": wanted.tier}
    return [
        day_sums.c.day.between(first, last),
        *(day_sums.c[name] == value for name, value in named.items() if value is not None),
    ]


def _read_page(
    connection: Connection, wanted: CallFilter, limit: int, start: Place | None, toward: Toward
) -> list[CallLine]:
    """Return rows in the order of the walk, day by day until there are enough."""
    is_older = toward == "older"
    days = select(day_sums.c.day, func.sum(day_sums.c.total_calls)).where(*_in_sums(wanted))
    if start is not None:
        limit_day = start.created_at.date().isoformat()
        days = days.where(day_sums.c.day <= limit_day if is_older else day_sums.c.day >= limit_day)
    days = days.group_by(day_sums.c.day)
    days = days.order_by(day_sums.c.day.desc() if is_older else day_sums.c.day)
    found: list[CallLine] = []
    span: list[date] = []
    sure = 0
    for day, count in connection.execute(days):
        span.append(date.fromisoformat(day))
        # Of the day the walk begins in, some calls are behind it.
        sure += 0 if start is not None and span[-1] == start.created_at.date() else int(count)
        if sure >= limit:
            break
    if span:
        query = _lines(wanted, min(span), max(span), start, is_older=is_older).limit(limit)
        found = [CallLine(*row) for row in connection.execute(query)]
    return found


def _lines(wanted: CallFilter, first: date, last: date, start: Place | None, *, is_older: bool) -> Any:
    names = ("created_at", "org", "call_id") if wanted.org is None else ("created_at", "call_id")
    order = [calls.c[name] for name in names]
    where = [
        calls.c.created_at >= datetime.combine(first, time(), UTC),
        calls.c.created_at < datetime.combine(last + timedelta(days=1), time(), UTC),
    ]
    for name, value in (("org", wanted.org), ("model_id", wanted.model_id), ("tier", wanted.tier)):
        if value is not None:
            where.append(
                calls.c[name].is_(None) if value == "none" and name != "org" else calls.c[name] == value
            )
    if start is not None:
        values = [getattr(start, name) for name in names]
        where.append(_beyond(order, values, is_older=is_older))
    query = select(*columns_for(calls, CallLine)).where(*where)
    return query.order_by(*(one.desc() if is_older else one for one in order))


def _beyond(order: Sequence[Any], values: Sequence[Any], *, is_older: bool) -> ColumnElement[bool]:
    """Return the comparison of tuples, spelled out: dialects disagree on row values with typed columns."""
    cases = []
    for n, (column, value) in enumerate(zip(order, values, strict=True)):
        same = [one == held for one, held in zip(order[:n], values[:n], strict=True)]
        cases.append(and_(*same, column < value if is_older else column > value))
    return or_(*cases)
