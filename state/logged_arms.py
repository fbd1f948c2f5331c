"""An arm as the call log keeps it: what was known of a model when a call might have asked it first."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

from .records import Arm
from .types import TIERS

CERTAIN = 1e9
"""Strength that is written for a belief without any doubt: JSON knows no infinity."""


@dataclass(frozen=True, slots=True)
class LoggedArm:
    """One eligible model of one decision."""

    model_id: str
    tier: str
    propensity: float
    """Probability that the call would ask it first; over the arms of a decision they sum to 1."""
    completion_prob: float
    """Predicted probability of a good answer, before any evidence of the org's own."""
    mean: float
    """The same after that evidence."""
    strength: float
    """How sure that belief is, in observations."""
    cost_nusd: int
    """Estimated cost of the answer, nano-dollars."""
    latency_ms: float
    availability: float

    def to_row(self) -> list[Any]:
        """Return the values after the model's name, in the order of the fields; short, as every call keeps them."""
        return [
            TIERS.index(self.tier), float(f"{self.propensity:.7g}"), round(self.completion_prob, 3),
            round(self.mean, 3), round(min(self.strength, CERTAIN)), self.cost_nusd, round(self.latency_ms),
            round(self.availability, 3),
        ]  # fmt: skip

    @classmethod
    def from_row(cls, model_id: str, row: Any) -> Self:
        """Return the arm of a row; ValueError where it is none."""
        try:
            rank, *values = row
            propensity, prob, mean, strength, cost, latency, available = (float(value) for value in values)
            tier = TIERS[rank]
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(f"expected the logged values of an arm, got {row!r}") from error
        is_sound = all(0.0 <= share <= 1.0 for share in (propensity, prob, mean, available))
        if not is_sound or not all(isfinite(one) and one >= 0.0 for one in (strength, cost, latency)):
            raise ValueError(f"expected the logged values of an arm within their ranges, got {row!r}")
        return cls(model_id, tier, propensity, prob, mean, strength, int(cost), latency, available)

    def as_arm(self) -> Arm:
        """Return it as a decision sees it; what the log does not keep is as if it did not matter."""
        return Arm(
            model_id=self.model_id, provider="", tier=self.tier, expected_cost_nusd=self.cost_nusd,
            expected_latency_ms=self.latency_ms, completion_prob=self.completion_prob, input_usd_per_mtok=0.0,
            output_usd_per_mtok=0.0, context_tokens=0, max_output_tokens=0, availability=self.availability,
        )  # fmt: skip


def logged_arms(decision: Mapping[str, Any]) -> tuple[LoggedArm, ...]:
    """Return the arms of a logged decision; none where it was logged before they were kept."""
    kept = decision.get("arms")
    return (
        tuple(LoggedArm.from_row(name, row) for name, row in kept.items()) if isinstance(kept, dict) else ()
    )
