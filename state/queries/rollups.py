"""What pages and comparisons read of an org's calls: sums by day and model, and by kind of task and model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, select

from ..database import Database
from ..logged_arms import logged_arms
from ..savings import paid, saved
from ..schema import calls, choice_sums, day_latencies, day_sums

NEWEST = 300
"""Calls whose decisions are looked at one by one."""
ALL_CELLS = "*"


@dataclass(frozen=True, slots=True)
class DaySum:
    """Calls of one UTC day that one model answered; "none" = no answer was bought."""

    day: date
    model_id: str
    tier: str
    total_calls: int
    cost_nusd: int
    judge_cost_nusd: int
    reference_cost_nusd: int
    judged: int
    rated: int
    """Calls that have a quality score."""
    timed: int
    escalated: int
    """Calls for which somebody stronger was asked because an answer was not good enough."""
    fell_back: int
    """Calls for which another was asked because one failed."""
    failed: int
    simulated: int
    quality: float
    """Sum of the scores."""
    latency_ms: float
    """Sum over the timed calls."""
    quality_sq: float
    """Sum of the scores' squares."""
    saved_sq: float
    """Sum of squares of what each call saved, dollars squared."""
    believed: int
    """Calls of whose answer it was kept how likely it is right."""
    right_prob: float
    """Sum of these probabilities."""

    @property
    def saved_nusd(self) -> int:
        """What was saved against the reference, judge included."""
        return saved(self.reference_cost_nusd, paid(self.cost_nusd, self.judge_cost_nusd))


@dataclass(frozen=True, slots=True)
class OrgSum:
    """Calls of one org over some days."""

    org: str
    total_calls: int
    cost_nusd: int
    judge_cost_nusd: int
    reference_cost_nusd: int

    @property
    def paid_nusd(self) -> int:
        """Everything the calls cost, judge included."""
        return paid(self.cost_nusd, self.judge_cost_nusd)

    @property
    def saved_nusd(self) -> int:
        """What was saved against the reference, judge included."""
        return saved(self.reference_cost_nusd, self.paid_nusd)


@dataclass(frozen=True, slots=True)
class ChoiceSum:
    """Calls of one kind of task that one model answered; "none" = no answer was bought."""

    task_cell: str
    model_id: str
    total_calls: int
    cost_nusd: int
    judge_cost_nusd: int
    reference_cost_nusd: int
    judged: int
    rated: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    counted_paid_nusd: int
    """Cost of the calls whose answer's tokens are known."""
    counted_calls: int
    quality: float
    quality_sq: float
    paid_sq: float
    """Sum of squares, dollars squared; so are the next two."""
    reference_sq: float
    paid_reference: float
    believed: int
    """Calls of whose answer it was kept how likely it is right."""
    right_prob: float
    """Sum of these probabilities."""


class Predictions:
    """How good models were predicted to be at an org's newest prompts, asked or not."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, task_cell: str, decision: Mapping[str, Any]) -> None:
        """Add what one decision knew of each model that it chose among."""
        try:
            arms = logged_arms(decision)
        except ValueError:  # a damaged row says nothing of the others
            return
        for arm in arms:
            for cell in (task_cell, ALL_CELLS):
                total, count = self._sums.get((cell, arm.model_id), (0.0, 0))
                self._sums[cell, arm.model_id] = (total + arm.completion_prob, count + 1)

    def mean(self, task_cell: str, model_id: str) -> float | None:
        """Return the mean prediction for a kind of task, or for all where it has none; None without any."""
        for cell in (task_cell, ALL_CELLS):
            if (cell, model_id) in self._sums:
                total, count = self._sums[cell, model_id]
                return total / count
        return None


class Rollups:
    """Reads the sums that the transaction logging a call moves; nobody walks the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, org: str | None, first: date, last: date) -> list[DaySum]:
        """Return the sums of the days from `first` to `last`, both included, by day and model; of all orgs for None.

        Days without calls are left out: `every_day` names them all. Takes as long as there are days and models.
        """
        span = day_sums.c.day.between(first.isoformat(), last.isoformat())

        def read(connection: Connection) -> list[DaySum]:
            found = _grouped(connection, day_sums, DaySum, 3, org, span)
            return [DaySum(date.fromisoformat(row[0]), *row[1:]) for row in found]

        return await self._database.query(read)

    async def orgs(self, first: date, last: date) -> list[OrgSum]:
        """Return the sums of the days from `first` to `last`, both included, of each org that made calls."""
        span = day_sums.c.day.between(first.isoformat(), last.isoformat())
        return await self._database.query(
            lambda connection: [OrgSum(*row) for row in _grouped(connection, day_sums, OrgSum, 1, None, span)]
        )

    async def latencies(
        self,
        org: str | None,
        first: date,
        last: date,
        *,
        model_id: str | None = None,
        tier: str | None = None,
    ) -> dict[int, int]:
        """Return how many timed calls of the days lie in each bucket of `latency_buckets`; narrowed where told."""
        table = day_latencies.c
        narrowed = {"org": org, "model_id": model_id, "tier": tier}
        query = (
            select(table.bucket, func.sum(table.total_calls))
            .where(table.day.between(first.isoformat(), last.isoformat()))
            .where(*(table[name] == value for name, value in narrowed.items() if value is not None))
            .group_by(table.bucket)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return {bucket: int(count) for bucket, count in rows}

    async def predictions(self, org: str, limit: int = NEWEST) -> Predictions:
        """Return what was predicted of each model at the org's newest `limit` calls."""
        query = (
            select(calls.c.task_cell, calls.c.decision)
            .where(calls.c.org == org)
            .order_by(calls.c.created_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )

        def read(connection: Connection) -> Predictions:
            found = Predictions()
            for task_cell, decision in connection.execute(query):
                found.add(task_cell, decision)
            return found

        return await self._database.query(read)

    async def choices(self, org: str | None) -> list[ChoiceSum]:
        """Return the sums by kind of task and model, over all time; of all orgs for None."""
        return await self._database.query(
            lambda connection: [
                ChoiceSum(*row) for row in _grouped(connection, choice_sums, ChoiceSum, 2, org)
            ]
        )


def every_day(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _grouped(
    connection: Connection, table: Table, record: Any, keys: int, org: str | None, *where: Any
) -> list[tuple[Any, ...]]:
    """Return rows in the order of a record's fields, of which the first `keys` are grouped by and the others summed."""
    names = tuple(record.__dataclass_fields__)
    groups = [table.c[name] for name in names[:keys]]
    query = (
        select(*groups, *(func.sum(table.c[name]) for name in names[keys:]))
        .group_by(*groups)
        .order_by(*groups)
    )
    query = query.where(*where, *(() if org is None else (table.c.org == org,)))
    kinds = [int if table.c[name].type.python_type is int else float for name in names[keys:]]
    # Postgres sums BIGINT to NUMERIC.
    return [
        (*row[:keys], *(kind(value) for kind, value in zip(kinds, row[keys:], strict=True)))
        for row in connection.execute(query)
    ]
