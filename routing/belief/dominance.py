"""Which arms are not worth their price: no better than a cheaper one, as far as the evidence goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erf, sqrt

from ...state.records import Evidence, Posterior
from .pass_rates import pass_rate
from .thompson import DEFAULT_LEARNER, Learner, combined

LEAST_OBSERVATIONS = 30.0
"""Judged first answers both arms need before they are compared."""


@dataclass(frozen=True, slots=True)
class Dominated:
    """A dearer arm that is not better, the cheaper one it was compared with, and the numbers."""

    model_id: str
    tier: str
    pass_rate: float
    observations: float
    better_model_id: str
    better_pass_rate: float
    better_observations: float
    prob_better: float
    """Probability that the dearer arm is the better one all the same, 0 to .5."""
    times_dearer: float | None
    """Price of the dearer arm over that of the cheaper; None where that one is free."""


def dominated(
    pooled: Sequence[Evidence], model_id_to_price: Mapping[str, float], learner: Learner = DEFAULT_LEARNER
) -> list[Dominated]:
    """Return each arm whose pass rate is not above that of some cheaper arm, against the best such arm.

    `pooled` is the org's evidence over all cells; arms without a price, or with fewer than `LEAST_OBSERVATIONS`, are
    left out. Pass rates are compared as they are: arms may have met different prompts.
    """
    known = []
    for one in pooled:
        sums = combined(one, one, learner)
        if one.model_id in model_id_to_price and sums[2] >= LEAST_OBSERVATIONS:
            known.append((pass_rate(one.model_id, one.tier, sums, learner), sums[2]))
    found = []
    for arm, observations in known:
        price = model_id_to_price[arm.model_id]
        cheaper = [(one, n) for one, n in known if model_id_to_price[one.model_id] < price]
        best, best_n = max(cheaper, key=lambda pair: pair[0].mean, default=(None, 0.0))
        if best is None or best.mean < arm.mean:
            continue
        cheap = model_id_to_price[best.model_id]
        found.append(Dominated(
            arm.model_id, arm.tier, round(arm.mean, 4), round(observations, 1), best.model_id, round(best.mean, 4),
            round(best_n, 1), round(prob_above(arm, best), 4), round(price / cheap, 2) if cheap else None,
        ))  # fmt: skip
    return sorted(found, key=lambda one: one.model_id)


def prob_above(one: Posterior, other: Posterior) -> float:
    """Return the probability that `one` is above `other`, both taken as normal of their Beta's mean and variance."""
    spread = sqrt(_variance(one) + _variance(other))
    return 0.5 * (1.0 + erf((one.mean - other.mean) / (spread * sqrt(2.0))))


def _variance(posterior: Posterior) -> float:
    return posterior.mean * (1.0 - posterior.mean) / (posterior.alpha + posterior.beta + 1.0)
