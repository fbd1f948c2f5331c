"""How far the costs estimated at decision time were from what was paid."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Select, select

from ..database import Database
from ..schema import attempts, calls

NEWEST_CALLS = 500
"""Calls looked at, the newest first: a price or a habit that changed is soon told, and a long log costs nothing."""


def _first_answers(org: str | None) -> Select[Any]:
    """Return model, cost and decision of the first answers of the newest calls."""
    newest = select(calls.c.org, calls.c.call_id, calls.c.decision)
    if org is not None:
        newest = newest.where(calls.c.org == org)
    newest_calls = newest.order_by(calls.c.created_at.desc()).limit(NEWEST_CALLS).subquery()
    return (
        select(attempts.c.model_id, attempts.c.cost_nusd, newest_calls.c.decision)
        .join(
            newest_calls,
            (newest_calls.c.org == attempts.c.org) & (newest_calls.c.call_id == attempts.c.call_id),
        )
        .where(
            attempts.c.step == 0,
            attempts.c.kind == "answer",
            attempts.c.status == "finished",
            attempts.c.cost_source.in_(("reported", "computed")),
        )
    )


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """Estimated against realised cost of one model's first answers."""

    answers: int
    median_relative_error: float
    """Median of |estimated - realised| / realised."""
    median_ratio: float
    """Median of estimated / realised: above 1, estimates are too high."""


class Estimates:
    """Compares what decisions expected with what happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def costs(self, org: str | None) -> dict[str, CostEstimate]:
        """Return the cost estimates of the first answers of the org's newest calls, or of everybody's, by model id.

        An answer of unknown cost, or of a model that was a fallback and not the decided one, is left out; so is one
        that cost nothing, of which nothing is a share.
        """
        query = _first_answers(org)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        ratios: dict[str, list[float]] = defaultdict(list)
        for model_id, cost_nusd, decision in rows:
            estimated = decision.get("expected_cost_nusd")
            if decision.get("model_id") == model_id and isinstance(estimated, int) and cost_nusd:
                ratios[model_id].append(estimated / cost_nusd)
        return {
            model_id: CostEstimate(
                answers=len(found),
                median_relative_error=median(abs(ratio - 1.0) for ratio in found),
                median_ratio=median(found),
            )
            for model_id, found in sorted(ratios.items())
        }
