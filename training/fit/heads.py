"""What does the difficulty of a prompt say of each tier? A logistic line a tier, fitted on recorded outcomes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids
from .logistic import newton

Floats = NDArray[np.float64]

PASS_RATE_FLOOR = 0.02
"""A prompt that nobody or everybody answers well keeps a finite difficulty."""
USUAL_SLOPE = 0.75
_PENALTY = np.array([1e-3, 1.0])  # of level and slope: one pseudo-observation pulls a slope to the usual one


def difficulty_target(pass_rate: Floats) -> Floats:
    """Return -logit of a pass rate clipped to [.02, .98]."""
    clipped = np.clip(pass_rate, PASS_RATE_FLOOR, 1.0 - PASS_RATE_FLOOR)
    return np.log((1.0 - clipped) / clipped)


@dataclass(frozen=True, slots=True)
class TierHead:
    """Completion of one tier given the difficulty: p = sigmoids(level - slope difficulty)."""

    level: float
    slope: float

    def predict(self, difficulty: Floats) -> Floats:
        """Return the probability of a good answer, same shape."""
        return sigmoids(self.level - self.slope * difficulty)


def fit_tier(difficulty: Floats, outcome: Floats) -> TierHead:
    """Fit level and slope by maximum likelihood, the slope shrunk a little to the usual one.

    Parameters
    ----------
    difficulty
        **Out-of-fold** estimates, shape (rows,). Fitting on what training saw, or on the true difficulty, would
        make the slope too steep for what is estimated in serving.
    outcome
        Quality in [0, 1] (a soft label where it is no pass or fail), same shape; NaN rows are left out.
    """
    known = np.isfinite(outcome)
    inputs = np.stack([np.ones(int(known.sum())), -difficulty[known]], axis=1)
    level, slope = newton(inputs, outcome[known], _PENALTY, np.array([0.0, USUAL_SLOPE])).tolist()
    return TierHead(level, slope)
