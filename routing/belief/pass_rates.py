"""How often each arm is right, as shown to people: plain counts, unbiased rates, rescues."""

from collections.abc import Sequence

from ...state.records import Evidence, Posterior
from .completion import TIER_PRIOR
from .thompson import DEFAULT_LEARNER, Learner, Sums, combined, usable_counts


def counted_posterior(
    name: str, tier: str, evidence: Sequence[Evidence], learner: Learner = DEFAULT_LEARNER
) -> Posterior:
    """Return the plain Beta of an arm or a tier: alpha = k m + rewards, beta = k (1 - m) + sum of 1 - reward.

    m is the tier's usual level and k `shown_strength`, both constants: each answer that teaches adds its reward to
    alpha and the complement to beta, and nothing else ever moves them. Selection does not read it: a judge's scores
    are no probabilities, and answers given after an escalation met harder prompts. `pass_rate` says what it reads.
    """
    counts = [usable_counts(one) for one in evidence]
    level, strength = TIER_PRIOR[tier], learner.shown_strength
    successes, failures = sum(one[0] for one in counts), sum(one[1] for one in counts)
    return Posterior(name, tier, strength * level, strength * (1.0 - level), successes, failures)


def pass_rate(model_id: str, tier: str, sums: Sums, learner: Learner = DEFAULT_LEARNER) -> Posterior:
    """Return how often an arm is right, unbiased: alpha = k pbar + R, beta = k (1 - pbar) + n - R, each at least .01.

    R sums learning weights, which are unbiased for correctness where raw judge scores are not; k is
    `shown_strength`; pbar is the mean prediction Q / n, before any evidence the tier's usual level.
    """
    reward, predicted, weight = sums
    pbar = predicted / weight if weight > 0.0 else TIER_PRIOR[tier]
    strength = learner.shown_strength
    return Posterior(model_id, tier, strength * pbar, strength * (1.0 - pbar), reward, weight - reward)


def tier_sums(pooled: Sequence[Evidence], learner: Learner = DEFAULT_LEARNER) -> Sums:
    """Return R, Q, n of a whole tier: the pooled evidence of its arms, summed."""
    parts = [combined(one, one, learner) for one in pooled]
    return sum(r for r, _, _ in parts), sum(q for _, q, _ in parts), sum(n for _, _, n in parts)


def rescue_rate(evidence: Sequence[Evidence]) -> float | None:
    """Return the share of answers given after an escalation that beat those held before; None before any."""
    tries = sum(one.rescue_tries for one in evidence)
    return sum(one.rescues for one in evidence) / tries if tries else None
