"""Probability that a model answers a prompt well, before any evidence of the org's own."""

from ...state.types import TIERS
from ..prompt.logistic import logit, sigmoid

TIER_PRIOR: dict[str, float] = dict(zip(TIERS, (0.60, 0.75, 0.85), strict=True))
"""Share of average prompts a tier answers well when nothing else is known of the model."""
DEFAULT_TRUST = 0.5
"""How much the difficulty estimate counts where no labelled call of the org confirms it yet."""

MEMORY_RELIEF_LOGITS = 1.0
"""How much lower the difficulty is, logits, for models below the frontier when remembered context answers part of it.

A frontier model would have known what the context says, so its prediction stays: the need for one can only shrink.
Chosen, not fitted.
"""

_CAPABILITY_SLOPE = 3.9
_CAPABILITY_INTERCEPT = -1.65
_DIFFICULTY_SLOPE = 0.75
_LEAST_MEASURED = 0.05


def memory_relief(tier: str) -> float:
    """Return what remembered context takes off the difficulty for a tier, logits: nothing at the top of the ladder."""
    return 0.0 if tier == TIERS[-1] else MEMORY_RELIEF_LOGITS


def completion_prob(
    *, tier: str, capability: float | None, difficulty: float, trust: float = DEFAULT_TRUST
) -> float:
    """Return the predicted probability of a good answer.

    Parameters
    ----------
    tier
        Decides the level when `capability` is None.
    capability
        Published ability of the model, 0 to 1, or None.
    difficulty
        Centred difficulty of the prompt, 0 = training mean, in logits.
    trust
        Weight of the difficulty, 0 (ignored) to 1.

    Notes
    -----
    Two-parameter logistic item-response model: sigmoid(level - .75 trust difficulty). The slope .75 is the
    middle of fits from .4 to 1.2 on recorded outcomes; level = 3.9 capability - 1.65 are the rounded
    coefficients of the published xrouter artifact (3.8986, -1.6527), clipped to logit [.02, .98].
    """
    if capability is None:
        level = logit(TIER_PRIOR[tier])
    else:
        level = logit(sigmoid(_CAPABILITY_SLOPE * capability + _CAPABILITY_INTERCEPT))
    return sigmoid(level - _DIFFICULTY_SLOPE * trust * difficulty)


def measured_prob(quality: float, at: float, difficulty: float, trust: float = DEFAULT_TRUST) -> float:
    """Return the predicted probability of a good answer of a model that was measured.

    Parameters
    ----------
    quality
        Share of answers that were good, 0 to 1; clipped to [.05, .95]: a few dozen prompts prove no more.
    at
        Mean difficulty of the prompts it was measured on, logits.
    difficulty
        Of this prompt. The slope is that of `completion_prob`.
    """
    level = logit(min(max(quality, _LEAST_MEASURED), 1.0 - _LEAST_MEASURED))
    return sigmoid(level - _DIFFICULTY_SLOPE * trust * (difficulty - at))
