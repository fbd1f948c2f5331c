"""How far the costs estimated at decision time were from what was paid."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select

from ..database import Database
from ..schema import attempts, calls

NEWEST_ANSWERS = 2_000
"""Answers looked at, the newest first: a price or a habit that changed is soon told."""

_FIRST_ANSWERS = (
    select(attempts.c.model_id, attempts.c.cost_nusd, calls.c.decision)
    .join(calls, (calls.c.org == attempts.c.org) & (calls.c.call_id == attempts.c.call_id))
    .where(
        attempts.c.step == 0,
        attempts.c.kind == "answer",
        attempts.c.status == "finished",
        attempts.c.cost_source.in_(("reported", "computed")),
    )
    .order_by(calls.c.created_at.desc(), calls.c.call_id.desc())
    .limit(NEWEST_ANSWERS)
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
        """Return the cost estimates of the org's newest first answers, or of everybody's, by model id.

        An answer of unknown cost, or of a model that was a fallback and not the decided one, is left out; so is one
        that cost nothing, of which nothing is a share.
        """
        query = _FIRST_ANSWERS if org is None else _FIRST_ANSWERS.where(attempts.c.org == org)
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
