"""How sure a belief about an arm is: the standard deviation of what a decision draws from."""

from math import sqrt

from ...state.records import Arm, Evidence
from ...state.working_memory import Strategy
from .thompson import (
    DEFAULT_LEARNER,
    Learner,
    classic_posterior,
    offset_posterior,
    return_prob,
    returned_posterior,
)


def belief_sd(
    arm: Arm, evidence: Evidence | None, strategy: Strategy, learner: Learner = DEFAULT_LEARNER
) -> float:
    """Return the standard deviation of the belief that a strategy holds about an arm, 0 to .5.

    Of Beta(k m, k (1 - m)) that is sqrt(m (1 - m) / (k + 1)). Of an arm that may have been repaired the belief is a
    mixture of two, with weights 1 - w and w and means m and m':
    variance = (1 - w) v + w v' + w (1 - w) (m - m')^2. The threshold strategy believes the prediction alone.
    """
    if strategy == "classic":
        posterior = classic_posterior(arm, evidence)
        return sqrt(_variance(posterior.mean, posterior.alpha + posterior.beta))
    if strategy == "threshold":
        evidence = None
    mean, concentration = offset_posterior(arm.completion_prob, evidence, learner)
    variance, chance = _variance(mean, concentration), return_prob(evidence)
    if evidence is not None and chance > 0.0:
        repaired, sure = returned_posterior(arm.completion_prob, evidence, learner)
        between = chance * (1.0 - chance) * (mean - repaired) ** 2
        variance = (1.0 - chance) * variance + chance * _variance(repaired, sure) + between
    return sqrt(variance)


def _variance(mean: float, concentration: float) -> float:
    return mean * (1.0 - mean) / (concentration + 1.0)
