"""Evidence about each arm. The database does the arithmetic: evidence is added to, never overwritten."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, text

from ..audit.chain import append_entry
from ..database import Database
from ..lessons import Lesson
from ..records import Evidence
from ..schema import UtcMicroseconds, columns_for, posteriors, values_of
from ..types import TIERS

logger = logging.getLogger(__name__)

LARGEST = 1e9
"""No sum of rewards in [0, 1] comes near; anything above is damage."""
POOLED = "*"
"""The cell that stands for all cells of an arm together."""
_NAMES = ("model_id", "task_cell", "tier")
# Learning weights are unbiased, so a run of low scores may sum to less than nothing.
_SIGNED = ("reward_sum", "reward_total", "fast_reward", "forgotten_reward")


_READ = select(*columns_for(posteriors, Evidence)).where(posteriors.c.org == bindparam("org"))
READ_CELLS = _READ.where(posteriors.c.task_cell != POOLED).order_by(
    posteriors.c.task_cell, posteriors.c.model_id
)
READ_POOLED = _READ.where(posteriors.c.task_cell == POOLED).order_by(posteriors.c.model_id)
READ_LEVELS = _READ.where(posteriors.c.task_cell.in_([bindparam("task_cell"), POOLED])).order_by(
    posteriors.c.model_id
)
READ_ARM = READ_POOLED.where(posteriors.c.model_id == bindparam("model_id"))
LOG_ONCE = text(
    "INSERT INTO evidence_log (org, call_id, step, task_cell, model_id, success, failure, reward, predicted,"
    " org_calls, created_at)"
    " VALUES (:org, :call_id, :step, :task_cell, :model_id, :success, :failure, :reward, :predicted,"
    " :org_calls, :now)"
    " ON CONFLICT DO NOTHING RETURNING step"
).bindparams(bindparam("now", type_=UtcMicroseconds))
# Locks the arm's rows, the pooled one first, so that writers of one arm stand in one line whatever cell they
# write to; `calls_seen` comes back as it was.
COUNT = text(
    "INSERT INTO posteriors (org, task_cell, model_id, tier, successes, failures, reward_sum, predicted_sum,"
    " weight, calls_seen, rescue_tries, rescues, updated_at)"
    " VALUES (:org, :pooled, :model_id, :tier, :success, :failure, 0, 0, 0, :org_calls, :tried, :rescued, :now),"
    " (:org, :task_cell, :model_id, :tier, :success, :failure, 0, 0, 0, :org_calls, :tried, :rescued, :now)"
    " ON CONFLICT (org, task_cell, model_id) DO UPDATE SET tier = excluded.tier,"
    " successes = posteriors.successes + excluded.successes,"
    " failures = posteriors.failures + excluded.failures,"
    " rescue_tries = posteriors.rescue_tries + excluded.rescue_tries,"
    " rescues = posteriors.rescues + excluded.rescues, updated_at = excluded.updated_at"
    " RETURNING task_cell, calls_seen"
).bindparams(bindparam("now", type_=UtcMicroseconds))
DISCOUNT_AND_ADD = text(
    "UPDATE posteriors SET reward_sum = reward_sum * :g + :reward,"
    " predicted_sum = predicted_sum * :g + :predicted, weight = weight * :g + 1,"
    " reward_total = reward_total + :reward, predicted_total = predicted_total + :predicted,"
    " weight_total = weight_total + 1, fast_reward = fast_reward * :fast_gamma + :reward,"
    " fast_predicted = fast_predicted * :fast_gamma + :predicted, fast_weight = fast_weight * :fast_gamma + 1,"
    " drift_up = CASE WHEN drift_up + :rise > 0 THEN drift_up + :rise ELSE 0 END,"
    " drift_down = CASE WHEN drift_down + :fall > 0 THEN drift_down + :fall ELSE 0 END,"
    " drift_calls = drift_calls + :watched,"
    " return_odds = CASE WHEN forgotten_weight <= 0 THEN 0"
    " WHEN (return_odds + :hope) * :return_ratio > :most_odds THEN :most_odds"
    " ELSE (return_odds + :hope) * :return_ratio END,"
    " calls_seen = CASE WHEN calls_seen < :org_calls THEN :org_calls ELSE calls_seen END"
    " WHERE org = :org AND task_cell = :cell AND model_id = :model_id"
)
BEGIN_ANEW = text(
    "UPDATE posteriors SET"
    " forgotten_reward = CASE WHEN :is_worse = 1 THEN forgotten_reward + reward_total - fast_reward ELSE 0 END,"
    " forgotten_predicted = CASE WHEN :is_worse = 1"
    " THEN forgotten_predicted + predicted_total - fast_predicted ELSE 0 END,"
    " forgotten_weight = CASE WHEN :is_worse = 1 THEN forgotten_weight + weight_total - fast_weight ELSE 0 END,"
    " return_odds = 0, reward_sum = fast_reward * :keep, predicted_sum = fast_predicted * :keep,"
    " weight = fast_weight * :keep, reward_total = fast_reward * :keep, predicted_total = fast_predicted * :keep,"
    " weight_total = fast_weight * :keep, drift_up = 0, drift_down = 0, drift_calls = 0, drifts = drifts + 1,"
    " drifted_at = calls_seen"
    " WHERE org = :org AND task_cell = :pooled AND model_id = :model_id AND drift_calls >= :drift_calls"
)
CLEAR_CELLS = text(
    "UPDATE posteriors SET reward_sum = 0, predicted_sum = 0, weight = 0, reward_total = 0, predicted_total = 0,"
    " weight_total = 0, fast_reward = 0, fast_predicted = 0, fast_weight = 0, drift_up = 0, drift_down = 0,"
    " drift_calls = 0 WHERE org = :org AND task_cell <> :pooled AND model_id = :model_id"
)


class Posteriors:
    """Reads evidence and adds to it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._warned: set[tuple[str, str, str]] = set()

    async def read(self, org: str, task_cell: str, model_ids: list[str] | None = None) -> dict[str, Evidence]:
        """Return the evidence in one context cell by model id; arms without any are absent.

        A damaged row (NaN, infinite, negative or above 1e9) reads as no evidence and is logged once.
        """
        cells, _ = await self.read_levels(org, task_cell)
        return cells if model_ids is None else {name: cells[name] for name in model_ids if name in cells}

    async def read_levels(self, org: str, task_cell: str) -> tuple[dict[str, Evidence], dict[str, Evidence]]:
        """Return the evidence in one cell and the evidence pooled over all, by model id, from one statement.

        Damaged rows as in `read`.
        """
        asked = {"org": org, "task_cell": task_cell}
        rows = await self._database.query(lambda connection: connection.execute(READ_LEVELS, asked).all())
        cells: dict[str, Evidence] = {}
        pooled: dict[str, Evidence] = {}
        for row in rows:
            (pooled if row.task_cell == POOLED else cells)[row.model_id] = self._evidence(org, row)
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
        pooled = _add_once(connection, row, gamma)
        return None if pooled is None else self._evidence(org, pooled)

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
        }  # fmt: skip
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


def _add_once(connection: Connection, row: dict[str, Any], gamma: float) -> Sequence[Any] | None:
    if connection.execute(LOG_ONCE, row).first() is None:
        return None
    calls_seen = {counted.task_cell: counted.calls_seen for counted in connection.execute(COUNT, row)}
    if row["reward"] is not None:
        for cell, seen in calls_seen.items():
            idle = _idle_calls(row["org_calls"], seen)
            connection.execute(
                DISCOUNT_AND_ADD,
                row | {"cell": cell, "g": gamma**idle, "hope": row["return_hazard"] * idle},
            )
    return connection.execute(READ_ARM, row).one()


def _idle_calls(org_calls: int, calls_seen: Any) -> int:
    """Return the org's calls since the last observation; none where `calls_seen` is damaged."""
    return max(0, org_calls - calls_seen) if isinstance(calls_seen, int) else 0


def _is_sound(evidence: Evidence) -> bool:
    # A damaged SQLite column may hold text or null where a number belongs; NaN fails every comparison.
    return evidence.tier in TIERS and all(
        isinstance(value, int | float) and (-LARGEST if name in _SIGNED else 0.0) <= value <= LARGEST
        for name, value in values_of(evidence).items()
        if name not in _NAMES
    )
