"""Evidence about each arm. The database does the arithmetic: evidence is added to, never overwritten."""

import logging
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from .database import Database
from .records import Evidence
from .schema import UtcMicroseconds, columns_for, posteriors
from .types import TIERS

logger = logging.getLogger(__name__)

LARGEST = 1e9
"""No sum of rewards in [0, 1] comes near; anything above is damage."""

READ_ORG = (
    select(*columns_for(posteriors, Evidence))
    .where(posteriors.c.org == bindparam("org"))
    .order_by(posteriors.c.task_cell, posteriors.c.model_id)
)
READ_CELL = READ_ORG.where(posteriors.c.task_cell == bindparam("task_cell"))
LOG_ONCE = text(
    "INSERT INTO evidence_log (org, call_id, step, task_cell, model_id, success, failure, reward, predicted,"
    " org_calls, created_at)"
    " VALUES (:org, :call_id, :step, :task_cell, :model_id, :success, :failure, :reward, :predicted,"
    " :org_calls, :now)"
    " ON CONFLICT DO NOTHING RETURNING step"
).bindparams(bindparam("now", type_=UtcMicroseconds))
# Locks the cell's row; `calls_seen` comes back as it was.
COUNT = text(
    "INSERT INTO posteriors (org, task_cell, model_id, tier, successes, failures, reward_sum, predicted_sum,"
    " weight, calls_seen, updated_at)"
    " VALUES (:org, :task_cell, :model_id, :tier, :success, :failure, 0, 0, 0, :org_calls, :now)"
    " ON CONFLICT (org, task_cell, model_id) DO UPDATE SET tier = excluded.tier,"
    " successes = posteriors.successes + excluded.successes,"
    " failures = posteriors.failures + excluded.failures, updated_at = excluded.updated_at"
    " RETURNING calls_seen"
).bindparams(bindparam("now", type_=UtcMicroseconds))
DISCOUNT_AND_ADD = text(
    "UPDATE posteriors SET reward_sum = reward_sum * :g + :reward,"
    " predicted_sum = predicted_sum * :g + :predicted, weight = weight * :g + 1,"
    " calls_seen = CASE WHEN calls_seen < :org_calls THEN :org_calls ELSE calls_seen END"
    " WHERE org = :org AND task_cell = :task_cell AND model_id = :model_id"
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
        cell = {"org": org, "task_cell": task_cell}
        rows = await self._database.query(lambda connection: connection.execute(READ_CELL, cell).all())
        asked = rows if model_ids is None else [row for row in rows if row.model_id in model_ids]
        return {row.model_id: self._evidence(org, row) for row in asked}

    async def read_all(self, org: str) -> list[Evidence]:
        """Return the org's evidence in every cell, ordered by cell and model; damaged rows as in `read`."""
        rows = await self._database.query(lambda connection: connection.execute(READ_ORG, {"org": org}).all())
        return [self._evidence(org, row) for row in rows]

    async def add_evidence(  # noqa: PLR0913 - one observation, spelled out
        self,
        org: str,
        call_id: str,
        step: int,
        *,
        task_cell: str,
        model_id: str,
        tier: str,
        success: float,
        failure: float,
        selection: tuple[float, float] | None,
        org_calls: int,
        gamma: float,
    ) -> bool:
        """Add what one answer taught, once per (org, call_id, step).

        The counts grow by `success` and `failure`, the reward and its complement. With `selection` = (w, p),
        learning weight (may be negative) and predicted probability, the discounted sums become R·g + w, Q·g + p and
        n·g + 1, where g = `gamma`^(`org_calls` - calls of the org at their last update).

        Returns whether it was added: False for a repetition, which changes nothing.

        Raises
        ------
        ValueError
            When a count or probability is negative, a number is not finite, or `gamma` is not above 0 and at most 1.

        Source: Garivier and Moulines, arXiv:0805.3415 (2008), the discounted counts of D-UCB.
        """
        reward, predicted = selection or (None, None)
        _check_range(success=success, failure=failure, predicted=predicted or 0.0)
        if not math.isfinite(reward or 0.0):
            raise ValueError(f"the learning weight must be finite, got {reward!r}")
        if not 0.0 < gamma <= 1.0:
            raise ValueError(f"gamma must be above 0 and at most 1, got {gamma!r}")
        row = {
            "org": org, "call_id": call_id, "step": step, "task_cell": task_cell, "model_id": model_id,
            "tier": tier, "success": success, "failure": failure, "reward": reward, "predicted": predicted,
            "org_calls": org_calls, "now": datetime.now(UTC),
        }  # fmt: skip
        return await self._database.transact(lambda connection: _add_once(connection, row, gamma))

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


def _add_once(connection: Connection, row: dict[str, Any], gamma: float) -> bool:
    if connection.execute(LOG_ONCE, row).first() is None:
        return False
    calls_seen = connection.execute(COUNT, row).scalar_one()
    if row["reward"] is not None:
        g = gamma ** max(0, row["org_calls"] - calls_seen)
        connection.execute(DISCOUNT_AND_ADD, row | {"g": g})
    return True


def _is_sound(evidence: Evidence) -> bool:
    sums = (
        evidence.successes, evidence.failures, evidence.predicted_sum, evidence.weight, evidence.calls_seen,
    )  # fmt: skip
    # A damaged SQLite column may hold text or null where a number belongs; NaN fails every comparison.
    return (
        evidence.tier in TIERS
        and all(isinstance(s, int | float) and 0.0 <= s <= LARGEST for s in sums)
        # Learning weights are unbiased, so a run of low scores may sum to less than nothing.
        and isinstance(evidence.reward_sum, int | float)
        and abs(evidence.reward_sum) <= LARGEST
    )


def _check_range(**numbers: float) -> None:
    for name, value in numbers.items():
        if not math.isfinite(value) or value < 0.0:
            raise ValueError(f"{name} must be finite and at least 0, got {value!r}")
