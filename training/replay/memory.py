"""One org's evidence in memory, with the arithmetic of `state.learning.posteriors`, for replays of decisions."""

from collections.abc import Mapping
from dataclasses import replace

from ...routing.belief.thompson import Learner, combine
from ...state.records import Evidence

CELL = "all"
"""A replay has one context cell."""


class Memory:
    """Evidence by model id; the cell's and the pooled sums are the same."""

    def __init__(self, tiers: Mapping[str, str], learner: Learner) -> None:
        self._learner = learner
        self._evidence = {model_id: Evidence(model_id, CELL, tier) for model_id, tier in tiers.items()}

    def read(self) -> dict[str, Evidence]:
        """Return what selection reads, by model id; arms never seen are absent."""
        seen = {name: one for name, one in self._evidence.items() if one.weight_total > 0.0}
        return combine(seen, seen, self._learner)

    def add(self, model_id: str, reward: float, predicted: float, org_calls: int) -> None:
        """Add one observation: R·g + w, Q·g + p, n·g + 1 with g = gamma^(calls since), and the long-run sums."""
        old = self._evidence[model_id]
        kept = self._learner.gamma ** max(0, org_calls - old.calls_seen)
        self._evidence[model_id] = replace(
            old,
            reward_sum=old.reward_sum * kept + reward,
            predicted_sum=old.predicted_sum * kept + predicted,
            weight=old.weight * kept + 1.0,
            reward_total=old.reward_total + reward,
            predicted_total=old.predicted_total + predicted,
            weight_total=old.weight_total + 1.0,
            calls_seen=max(old.calls_seen, org_calls),
        )
