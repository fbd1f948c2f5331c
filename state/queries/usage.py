"""Which models an org's answers came from, and what its calls look like."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ..database import Database
from ..schema import attempts, calls

NEWEST_CALLS = 200


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What was bought of one model."""

    model_id: str
    tier: str
    kind: str
    """"answer" or "judge"."""
    requests: int
    """Those that were answered."""
    mean_cost_usd: float


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """What is known of a call before it is answered."""

    difficulty: float
    prompt_tokens: int
    optimize_for: dict[str, float]


class Usages:
    """Sums up the attempts of an org."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def models(self, org: str) -> list[ModelUsage]:
        """Return what each model was used for, most used first."""
        count = func.count()
        query = (
            select(
                attempts.c.model_id, func.max(attempts.c.tier), attempts.c.kind, count,
                func.avg(attempts.c.cost_nusd),
            )
            .where(attempts.c.org == org, attempts.c.status == "finished")
            .group_by(attempts.c.model_id, attempts.c.kind)
            .order_by(count.desc(), attempts.c.model_id)
        )  # fmt: skip
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [
            ModelUsage(model_id, tier, kind, int(requests), float(mean or 0.0) / 1e9)
            for model_id, tier, kind, requests, mean in rows
        ]

    async def newest_calls(self, org: str, limit: int = NEWEST_CALLS) -> list[LoggedCall]:
        """Return the org's newest answered calls, by their first answer."""
        first = (
            (attempts.c.org == calls.c.org) & (attempts.c.call_id == calls.c.call_id) & (attempts.c.step == 0)
            & (attempts.c.kind == "answer") & (attempts.c.status == "finished")
        )  # fmt: skip
        query = (
            select(calls.c.difficulty, attempts.c.prompt_tokens, calls.c.decision)
            .join(attempts, first)
            .where(calls.c.org == org)
            .order_by(calls.c.created_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [LoggedCall(row.difficulty, int(row.prompt_tokens), _weights(row.decision)) for row in rows]


def _weights(decision: dict[str, Any]) -> dict[str, float]:
    weights: dict[str, float] = decision.get("optimize_for") or {}
    return weights
