"""Thompson sampling: draw how good each arm may be, from the prediction and from what the org observed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ..state.records import Arm, Evidence, Posterior
from .completion import TIER_PRIOR, logit, sigmoid

CLASSIC_STRENGTH = 2.0
"""Pseudo-observations of the prior in the classic learner."""

_MOST_OBSERVATIONS = 1e9
_MOST_REWARD = 10.0  # largest plausible size of one learning weight; a judge of AUC .85 gives at most 1.8


@dataclass(frozen=True, slots=True)
class Learner:
    """Constants of the offset learner; the defaults suit a judge that passes or fails answers."""

    kappa0: float = 50.0
    """Concentration of a draw before any evidence, pseudo-observations."""
    n0: float = 30.0
    """Observations after which evidence weighs as much as the prediction."""
    kappa_max: float = 2000.0
    """Largest concentration: how sure a draw can ever be."""
    gamma: float = 0.995
    """What one org call leaves of older evidence."""
    shown_strength: float = 10.0
    """Pseudo-observations of the prior in the counts shown to people."""


DEFAULT_LEARNER = Learner()


def _usable_sums(evidence: Evidence | None) -> tuple[float, float, float]:
    """Return R, Q, n; zeros when a sum is impossible, since a damaged row must not stop a call."""
    if evidence is None:
        return 0.0, 0.0, 0.0
    reward, predicted, weight = evidence.reward_sum, evidence.predicted_sum, evidence.weight
    possible = (
        all(map(isfinite, (reward, predicted, weight)))
        and 0.0 <= weight <= _MOST_OBSERVATIONS
        and 0.0 <= predicted <= weight * (1.0 + 1e-9)
        and abs(reward) <= _MOST_REWARD * weight
    )
    return (reward, predicted, weight) if possible else (0.0, 0.0, 0.0)


def _usable_counts(evidence: Evidence | None) -> tuple[float, float]:
    """Return successes and failures; zeros when a count is impossible."""
    if evidence is None:
        return 0.0, 0.0
    counts = (evidence.successes, evidence.failures)
    possible = all(isfinite(count) and 0.0 <= count <= _MOST_OBSERVATIONS for count in counts)
    return counts if possible else (0.0, 0.0)


def offset_posterior(
    p: float, evidence: Evidence | None, learner: Learner = DEFAULT_LEARNER
) -> tuple[float, float]:
    """Return mean and concentration of the belief about an arm predicted at `p` for this prompt.

    The evidence moves the prediction on the logit scale and leaves its dependence on the prompt in place:
    delta = logit((R + n0 p) / (n + n0)) - logit((Q + n0 p) / (n + n0)), mean = sigmoid(logit p + delta),
    concentration = min(kappa0 + n, kappa_max), with every probability clipped to [.02, .98].
    R, Q, n are the discounted sums of rewards, predictions and observations; impossible ones count as none.
    """
    reward, predicted, weight = _usable_sums(evidence)
    total = weight + learner.n0
    delta = logit((reward + learner.n0 * p) / total) - logit((predicted + learner.n0 * p) / total)
    return sigmoid(logit(p) + delta), min(learner.kappa0 + weight, learner.kappa_max)


def draw(
    arms: Sequence[Arm],
    model_id_to_evidence: Mapping[str, Evidence],
    rng: np.random.Generator,
    draws: int,
    learner: Learner = DEFAULT_LEARNER,
) -> NDArray[np.float64]:
    """Draw the quality of each arm from its offset posterior; shape (draws, number of arms), in (0, 1)."""
    beliefs = [
        offset_posterior(arm.completion_prob, model_id_to_evidence.get(arm.model_id), learner) for arm in arms
    ]
    mean, concentration = np.array(beliefs, dtype=np.float64).reshape(-1, 2).T
    return rng.beta(concentration * mean, concentration * (1.0 - mean), size=(draws, len(arms)))


def classic_posterior(arm: Arm, evidence: Evidence | None) -> Posterior:
    """Return Beta(2 p + successes, 2 (1 - p) + failures): each reward r adds r to alpha and 1 - r to beta."""
    return _counted(arm, evidence, CLASSIC_STRENGTH)


def classic_draw(
    arms: Sequence[Arm], model_id_to_evidence: Mapping[str, Evidence], rng: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    """Draw the quality of each arm from its classic posterior; shape (draws, number of arms), in [0, 1]."""
    beliefs = [classic_posterior(arm, model_id_to_evidence.get(arm.model_id)) for arm in arms]
    alpha, beta = [belief.alpha for belief in beliefs], [belief.beta for belief in beliefs]
    return rng.beta(alpha, beta, size=(draws, len(arms)))


def shown_posterior(arm: Arm, evidence: Evidence | None, learner: Learner = DEFAULT_LEARNER) -> Posterior:
    """Return the counts shown to people: a prior worth ten observations plus every judged answer."""
    return _counted(arm, evidence, learner.shown_strength)


def tier_posterior(
    tier: str, successes: float, failures: float, learner: Learner = DEFAULT_LEARNER
) -> Posterior:
    """Return the counts shown for a whole tier: its usual level as prior, plus its judged answers."""
    prior = TIER_PRIOR[tier]
    strength = learner.shown_strength
    return Posterior(tier, tier, strength * prior, strength * (1.0 - prior), successes, failures)


def _counted(arm: Arm, evidence: Evidence | None, strength: float) -> Posterior:
    successes, failures = _usable_counts(evidence)
    return Posterior(
        model_id=arm.model_id,
        tier=arm.tier,
        prior_alpha=strength * arm.completion_prob,
        prior_beta=strength * (1.0 - arm.completion_prob),
        successes=successes,
        failures=failures,
    )
