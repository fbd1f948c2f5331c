"""Evidence about each arm. The database does the arithmetic: evidence is added to, never overwritten."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from math import isfinite
from operator import attrgetter
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Select

from ..audit.chain import append_entry
from ..changes import Changes, note_change
from ..database import Database
from ..lessons import Lesson
from ..records import Evidence
from ..types import TIERS
from .posterior_statements import (
    BEGIN_ANEW,
    CLEAR_CELLS,
    COUNT,
    DISCOUNT_AND_ADD,
    LOG_ONCE,
    POOLED,
    READ_ARM,
    READ_CELLS,
    READ_LEVELS,
    READ_POOLED,
)  # fmt: skip

logger = logging.getLogger(__name__)

LARGEST = 1e9
"""No sum of rewards in [0, 1] comes near; anything above is damage."""
FRESH_S = 1.0
"""Age at which evidence kept in memory is read again."""
MOST_ORGS = 2_000
"""Orgs whose evidence is kept in memory, a few cells each; those longest unseen are forgotten."""
_NAMES = ("model_id", "task_cell", "tier")
# Learning weights are unbiased, so a run of low scores may sum to less than nothing.
_SIGNED = ("reward_sum", "reward_total", "fast_reward", "forgotten_reward")
_signed = attrgetter(*_SIGNED)
_unsigned = attrgetter(*(one.name for one in fields(Evidence) if one.name not in {*_NAMES, *_SIGNED}))


@dataclass(frozen=True, slots=True)
class _Levels:
    """Evidence of one cell and of all, as read once."""

    read_at_s: float
    cells: dict[str, Evidence]
    pooled: dict[str, Evidence]


class Posteriors:
    """Reads evidence and adds to it."""

    def __init__(self, database: Database, clock_s: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._clock_s = clock_s
        self._warned: set[tuple[str, str, str]] = set()
        self._pages: OrderedDict[str, dict[str, _Levels]] = OrderedDict()
        database.watchers.append(self._follow)

    def _follow(self, changes: Changes) -> None:
        """Keep what is remembered as the database has it now."""
        for org, became in changes.items():
            page = self._pages.get(org)
            if page is None:
                continue
            if became is None:
                self._pages.pop(org, None)
                continue
            # A new page: a read that is under way writes to one that nobody looks at any more.
            self._pages[org] = {cell: _after(levels, cell, became) for cell, levels in list(page.items())}

    def forget(self, org: str) -> None:
        """Drop what is remembered of an org: it is read anew."""
        self._pages.pop(org, None)

    async def read(self, org: str, task_cell: str, model_ids: list[str] | None = None) -> dict[str, Evidence]:
        """Return the evidence in one context cell by model id; arms without any are absent.

        A damaged row (NaN, infinite, negative or above 1e9) reads as no evidence and is logged once.
        """
        cells, _ = await self.read_levels(org, task_cell)
        return cells if model_ids is None else {name: cells[name] for name in model_ids if name in cells}

    async def read_levels(self, org: str, task_cell: str) -> tuple[dict[str, Evidence], dict[str, Evidence]]:
        """Return the evidence in one cell and the evidence pooled over all, by model id, from one statement.

        What this process wrote is in it; what others wrote is after `FRESH_S` at the latest. Damaged rows as in `read`.
        """
        page = self._pages.get(org)
        if page is None:
            # A read that is under way when the org learns writes to a page that nobody looks at any more.
            page = self._pages[org] = {}
            while len(self._pages) > MOST_ORGS:
                self._pages.popitem(last=False)
        else:
            with suppress(KeyError):  # forgotten meanwhile, on the thread that commits
                self._pages.move_to_end(org)
        known, now_s = page.get(task_cell), self._clock_s()
        if known is None or not 0.0 <= now_s - known.read_at_s < FRESH_S:
            known = page[task_cell] = _Levels(now_s, *await self._read_levels(org, task_cell))
        return dict(known.cells), dict(known.pooled)

    async def _read_levels(self, org: str, task_cell: str) -> tuple[dict[str, Evidence], dict[str, Evidence]]:
        asked = {"org": org, "task_cell": task_cell, "pooled": POOLED}
        rows = await self._database.query(lambda connection: READ_LEVELS.rows(connection, asked))
        cells: dict[str, Evidence] = {}
        pooled: dict[str, Evidence] = {}
        for row in rows:
            evidence = self._evidence(org, row)
            (pooled if evidence.task_cell == POOLED else cells)[evidence.model_id] = evidence
        return cells, pooled

    async def read_all(self, org: str) -> list[Evidence]:
        """Return the org's evidence in every cell, ordered by cell and model; damaged rows as in `read`."""
        return await self._read(org, READ_CELLS)

    async def read_pooled(self, org: str) -> list[Evidence]:
        """Return the org's evidence pooled over its cells, ordered by model; damaged rows as in `read`."""
        return await self._read(org, READ_POOLED)

    async def add_evidence(self, org: str, call_id: str, step: int, **lesson: Any) -> bool:
        """Add what one answer taught, as `learn` does; return whether it was new."""
        return await self.learn(org, call_id, step, **lesson) is not None

    async def learn(
        self, org: str, call_id: str, step: int, *, org_calls: int, gamma: float, **lesson: Any
    ) -> Evidence | None:
        """Add what one answer taught in a transaction of its own; `lesson` are the fields of `Lesson`, else `add`."""
        taught = Lesson(step=step, **lesson)
        return await self._database.transact(
            lambda connection: self.add(connection, org, call_id, taught, org_calls=org_calls, gamma=gamma)
        )

    def add(  # noqa: PLR0913 - one observation, whose it is, and when
        self, connection: Connection, org: str, call_id: str, lesson: Lesson, *, org_calls: int, gamma: float
    ) -> Evidence | None:
        """Add what one answer taught, once per (org, call_id, step), to its cell and to the pooled row.

        The counts grow by `success` and `failure`, the reward and its complement. With `selection` = (w, p),
        learning weight (may be negative) and predicted probability, the discounted sums become R·g + w, Q·g + p and
        n·g + 1, where g = `gamma`^(`org_calls` - calls of the org at their last update), and the long-run sums
        grow by w, p and 1. `watch` feeds the drift detector.

        Returns the pooled evidence after it; None for a repetition, which changes nothing.

        Raises
        ------
        ValueError
            When the lesson is out of range, or `gamma` is not above 0 and at most 1.

        Source: Garivier and Moulines, arXiv:0805.3415 (2008), the discounted counts of D-UCB.
        """
        if not 0.0 < gamma <= 1.0:
            raise ValueError(f"gamma must be above 0 and at most 1, got {gamma!r}")
        lesson.check()
        reward, predicted = lesson.selection or (None, None)
        row = {
            "org": org, "call_id": call_id, "step": lesson.step, "task_cell": lesson.task_cell,
            "model_id": lesson.model_id, "tier": lesson.tier, "success": lesson.success, "failure": lesson.failure,
            "reward": reward, "predicted": predicted, "org_calls": org_calls, "now": datetime.now(UTC),
            "pooled": POOLED, "tried": int(lesson.rescued is not None), "rescued": int(bool(lesson.rescued)),
        } | lesson.watch.columns()  # fmt: skip
        became = [self._evidence(org, one) for one in _add_once(connection, row, gamma)]
        note_change(connection, org, became)
        return next((one for one in became if one.task_cell == POOLED), None)

    def begin_anew(
        self, connection: Connection, org: str, pooled: Evidence, *, keep: float, record: dict[str, Any]
    ) -> bool:
        """Forget an arm of the org down to its last few observations, and enter that in the audit chain.

        The pooled sums become `keep` times the fast sums, those of the cells nothing. What was known before is set
        aside where `record` says that the arm became worse, and dropped where it became better. Returns False, and
        changes nothing, where the detector has looked at fewer observations than `pooled` says: another writer was
        first.

        Raises
        ------
        ChainBroken
            When the chain cannot be extended.
        """
        arm = {
            "org": org, "model_id": pooled.model_id, "pooled": POOLED, "keep": keep,
            "drift_calls": max(1, pooled.drift_calls), "is_worse": int(record.get("direction") != "better"),
            "now": datetime.now(UTC),
        }  # fmt: skip
        note_change(connection, org)
        if connection.execute(BEGIN_ANEW, arm).rowcount != 1:
            return False
        connection.execute(CLEAR_CELLS, arm)
        append_entry(connection, org, record)
        return True

    async def _read(self, org: str, query: Select[Any]) -> list[Evidence]:
        rows = await self._database.query(lambda connection: connection.execute(query, {"org": org}).all())
        return [self._evidence(org, row) for row in rows]

    def _evidence(self, org: str, row: Sequence[Any]) -> Evidence:
        evidence = Evidence(*row)
        if _is_sound(evidence):
            return evidence
        cell = (org, evidence.task_cell, evidence.model_id)
        if cell not in self._warned:
            self._warned.add(cell)
            logger.warning("ignoring damaged evidence of org %s, cell %s, model %s: %r", *cell, evidence)
        return Evidence(
            evidence.model_id, evidence.task_cell, evidence.tier if evidence.tier in TIERS else "slm"
        )


def _after(levels: _Levels, cell: str, became: Sequence[Evidence]) -> _Levels:
    cells = {one.model_id: one for one in became if one.task_cell == cell}
    pooled = {one.model_id: one for one in became if one.task_cell == POOLED}
    return _Levels(levels.read_at_s, levels.cells | cells, levels.pooled | pooled)


def _add_once(connection: Connection, row: dict[str, Any], gamma: float) -> list[tuple[Any, ...]]:
    """Return the arm's rows after the lesson, of its cell and pooled; none for a repetition."""
    if not LOG_ONCE.rows(connection, row):
        return []
    calls_seen = dict(COUNT.rows(connection, row))
    if row["reward"] is not None:
        for cell, seen in calls_seen.items():
            idle = _idle_calls(row["org_calls"], seen)
            DISCOUNT_AND_ADD.count(
                connection,
                row | {"cell": cell, "g": gamma**idle, "hope": row["return_hazard"] * idle},
            )
    return READ_ARM.rows(connection, row)


def _idle_calls(org_calls: int, calls_seen: Any) -> int:
    """Return the org's calls since the last observation; none where `calls_seen` is damaged."""
    return max(0, org_calls - calls_seen) if isinstance(calls_seen, int) else 0


def _is_sound(evidence: Evidence) -> bool:
    # A damaged SQLite column may hold text or null where a number belongs; NaN fails every comparison.
    try:
        sums, counts = _signed(evidence), _unsigned(evidence)
        is_finite = isfinite(sum(sums) + sum(counts))
    except TypeError:
        return False
    return (
        is_finite
        and evidence.tier in TIERS
        and min(counts) >= 0.0
        and min(sums) >= -LARGEST
        and max(*sums, *counts) <= LARGEST
    )
