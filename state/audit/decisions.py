"""The log of decisions that were asked for alone: which model would be asked, and nobody was."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from ..database import Database
from ..schema import decisions, values_of
from .chain import append_entry
from .entries import AuditEntry
from .prompts import keep_prompt


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """One decision, as logged."""

    call_id: str
    org: str
    created_at: datetime
    config: str
    """Name of the router config, or "custom" where a list of models was given instead."""
    task_type: str
    task_cell: str
    expected_quality: float
    """Probability that what was selected answers well."""
    cost_nusd: int
    """Estimated cost of asking all that was selected."""
    latency_ms: float
    """Expected, of the slowest of them."""
    propensity: float
    """Probability with which it was selected."""
    facts: dict[str, Any] = field(default_factory=dict)
    """`selected`, `candidates`, and what off-policy evaluation needs of the decision."""
    user_id: str | None = None
    prompt: str | None = None
    """Null unless prompts are stored."""
    record_hash: str = ""


class Decisions:
    """Records decisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, decision: LoggedDecision, audit_record: dict[str, Any]) -> AuditEntry:
        """Log a decision and extend the org's chain, both or neither; the row keeps the hash of the new entry.

        It is no call: counts of calls, sums and stages do not move.

        Raises
        ------
        ChainBroken
            When the chain cannot be extended; nothing is logged then.
        """

        def record(connection: Connection) -> AuditEntry:
            entry, _ = append_entry(connection, decision.org, audit_record)
            row = {name: value for name, value in values_of(decision).items() if name != "prompt"}
            row |= {
                "record_hash": entry.record_hash, "audit_idx": entry.index,
                "prompt_sha256": keep_prompt(connection, decision.org, decision.prompt),
            }  # fmt: skip
            connection.execute(insert(decisions), row)
            return entry

        return await self._database.transact(record)
