"""Sets of models asked together: how likely one of them completes, and what the set costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from ...state.records import Arm

MAX_K = 4
"""Largest set. Of forty models there are 92,000 sets of four; of five, 700,000 more."""


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Models that would answer the same prompt side by side."""

    model_ids: tuple[str, ...]
    """In the order of the arms they were made of."""
    completion_prob: float
    """Probability that at least one member answers well."""
    cost_nusd: int
    """Of all members together."""
    latency_ms: float
    """Of the slowest member: all are asked at once."""

    @property
    def size(self) -> int:
        """How many models are asked."""
        return len(self.model_ids)


def any_completes_prob(completion_probs: Sequence[float]) -> float:
    """Return 1 - prod(1 - mu): the set completes when any member does, members failing independently.

    For one member this is its own probability, to the last digit.
    """
    if len(completion_probs) == 1:
        return completion_probs[0]
    return 1.0 - prod(1.0 - mu for mu in completion_probs)


def candidate_sets(arms: Sequence[Arm], max_k: int = 1) -> Iterator[CandidateSet]:
    """Yield every set of at most `max_k` arms, the small ones first.

    Raises
    ------
    ValueError
        If `max_k` is not between 1 and `MAX_K`.
    """
    if not 1 <= max_k <= MAX_K:
        raise ValueError(f"max_k must be between 1 and {MAX_K}, got {max_k!r}")
    for size in range(1, min(max_k, len(arms)) + 1):
        for members in combinations(arms, size):
            yield CandidateSet(
                model_ids=tuple(arm.model_id for arm in members),
                completion_prob=any_completes_prob([arm.completion_prob for arm in members]),
                cost_nusd=sum(arm.expected_cost_nusd for arm in members),
                latency_ms=max(arm.expected_latency_ms for arm in members),
            )
