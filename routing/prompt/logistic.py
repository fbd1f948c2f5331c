"""The logistic function and its inverse, for numbers and for arrays."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOWEST_PROB = 0.02
"""Predictions and beliefs stay within [.02, .98]: nobody is certain of a model."""


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)) without overflow."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    growth = math.exp(x)
    return growth / (1.0 + growth)


def logit(prob: float, lowest: float = LOWEST_PROB) -> float:
    """Return log(p / (1 - p)) of `prob` clipped to [lowest, 1 - lowest]."""
    prob = min(max(prob, lowest), 1.0 - lowest)
    return math.log(prob) - math.log1p(-prob)


def sigmoids(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) of an array, same shape, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), dtype=np.float64)
