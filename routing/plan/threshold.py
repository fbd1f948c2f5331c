"""The threshold rule: the cheapest candidate that is likely enough to complete, from the prompt alone.

price(set) = lambda_cost cost / reference cost + lambda_latency latency / reference latency

capable    = sets with mu >= completion_threshold; where there is none, sets with
mu >= best mu - fallback_quality_margin
choice     = the capable set of least price; ties by latency, then set size, then mu
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from ...state.records import Arm
from .sets import MAX_K, CandidateSet, candidate_sets

_SAME_PROB = 1e-12  # best - 0 must keep the best whatever the rounding of a product


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Knobs of the rule. With the defaults the cheapest capable model is chosen."""

    completion_threshold: float = 0.7
    """Probability of completion that is enough, 0 to 1."""
    fallback_quality_margin: float = 0.05
    """Where nobody is likely enough: how far below the best probability a cheaper one may be, 0 to 1."""
    lambda_cost: float = 1.0
    """Price of a reference cost, >= 0. Raising it never chooses a dearer set; 0 lets latency alone decide."""
    lambda_latency: float = 0.0
    """Price of a reference latency, >= 0. Raising it never chooses a slower set. Only the ratio of the two counts."""
    max_k: int = 1
    """Most models asked together, 1 to `MAX_K`."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises
        ------
        ValueError
            Naming the knob, what it must be and what it is.
        """
        for name in ("completion_threshold", "fallback_quality_margin"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be between 0 and 1, got {value!r}")
        for name in ("lambda_cost", "lambda_latency"):
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0.0):
                raise ValueError(f"{name} must be a number >= 0, got {value!r}")
        if not 1 <= self.max_k <= MAX_K:
            raise ValueError(f"max_k must be between 1 and {MAX_K}, got {self.max_k!r}")


DEFAULT_RULE = ThresholdRule()


def choose_set(
    arms: Sequence[Arm],
    rule: ThresholdRule = DEFAULT_RULE,
    *,
    reference_cost_nusd: float = 1.0,
    reference_latency_ms: float = 1.0,
) -> CandidateSet:
    """Return the set of models to ask.

    Parameters
    ----------
    reference_cost_nusd, reference_latency_ms
        What the two prices are relative to; they matter only where both lambdas are above 0.

    Raises
    ------
    ValueError
        If `arms` is empty.
    """
    if not arms:
        raise ValueError("the threshold rule needs at least one arm, got none")
    sets = list(candidate_sets(arms, rule.max_k))
    enough = rule.completion_threshold
    if not any(one.completion_prob >= enough for one in sets):
        best = max(one.completion_prob for one in sets)
        enough = best - rule.fallback_quality_margin - _SAME_PROB
    cost_weight = rule.lambda_cost / max(reference_cost_nusd, 1.0)
    latency_weight = rule.lambda_latency / max(reference_latency_ms, 1.0)
    return min(
        (one for one in sets if one.completion_prob >= enough),
        key=lambda one: (
            cost_weight * one.cost_nusd + latency_weight * one.latency_ms,
            one.latency_ms,
            one.size,
            -one.completion_prob,
        ),
    )
