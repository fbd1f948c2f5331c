"""What would another policy have brought? Three estimates of its mean outcome, with intervals that are meant to cover.

For call i with asked arm a, outcome y, logged probability mu, the other policy's probability pi, and a model q:

    weight   w_i = pi(a_i | x_i) / mu(a_i | x_i)
    IPS      mean of w_i y_i
    SNIPS    sum w_i y_i / sum w_i
    DR       mean of sum_a pi(a | x_i) q(x_i, a) + w_i (y_i - q(x_i, a_i))

IPS and DR are unbiased where every arm that the other policy may ask has a logged probability above 0, whatever q is; a
good q makes DR tighter, and where the log lacks an arm DR believes q. Intervals are normal ones of the contributions
with the t quantile of as many degrees of freedom as effective calls, (sum w)^2 / sum w^2: few heavy weights make a
standard error too small as often as too large.

Source: Horvitz and Thompson 1952; Swaminathan and Joachims 2015 (SNIPS); Dudik, Langford and Li, ICML 2011 (DR).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ESTIMATORS = ("ips", "snips", "dr")
_Z95 = 1.959964


@dataclass(frozen=True)
class Sample:
    """One outcome of logged calls under another policy; arrays of shape (calls,)."""

    weights: Floats
    """pi / mu of the asked arm."""
    outcomes: Floats
    """Unbiased for what came of the call."""
    sightings: Floats
    """1 / probability of having been looked at where that was needed to know the outcome, 0 where nobody looked, and 1
    where it is known anyway."""
    expected: Floats
    """The model's mean outcome over the other policy's arms."""
    expected_asked: Floats
    """The model's mean outcome of the asked arm."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, and what it rests on."""

    value: float
    low: float
    high: float
    effective_sample_size: float
    """Evenly weighted calls that would be as informative."""
    largest_weight: float
    """Largest weight of one call, 1 = an average call of the log."""


def effective_size(weights: Floats) -> float:
    """Return (sum w)^2 / sum w^2; 0 where all weights are 0."""
    square = float(weights @ weights)
    return float(weights.sum()) ** 2 / square if square > 0.0 else 0.0


def estimate(sample: Sample, estimator: str) -> Estimate:
    """Return the mean outcome under the other policy by one of `ESTIMATORS`.

    Raises
    ------
    ValueError
        If the estimator is unknown or there is no call.
    """
    value, parts = contributions(sample, estimator)
    return interval(value, parts, sample)


def difference(sample: Sample, estimator: str) -> Estimate:
    """Return by how much the mean outcome under the other policy is above the log's own, call by call."""
    value, parts = contributions(sample, estimator)
    logged = sample.outcomes
    return interval(value - float(logged.mean()), parts - (logged - logged.mean()), sample)


def ratio(sample: Sample, estimator: str) -> Estimate:
    """Return the mean outcome under the other policy relative to the log's own; by the delta method on its logarithm.

    Raises
    ------
    ValueError
        If the log's own mean is not above 0, as `estimate`.
    """
    value, parts = contributions(sample, estimator)
    logged = float(sample.outcomes.mean())
    if logged <= 0.0:
        raise ValueError("a ratio needs a logged mean above 0")
    if value <= 0.0:
        return Estimate(0.0, 0.0, 0.0, effective_size(sample.weights), _largest(sample))
    relative = parts / value - (sample.outcomes - logged) / logged
    half = interval(0.0, relative, sample).high
    found = value / logged
    return Estimate(found, found * float(np.exp(-half)), found * float(np.exp(half)), *_basis(sample))


def contributions(sample: Sample, estimator: str) -> tuple[float, Floats]:
    """Return an estimate and each call's part in its error, of mean 0 and shape (calls,)."""
    weights, outcomes = sample.weights, sample.outcomes
    if not len(outcomes):
        raise ValueError("an estimate needs at least one call")
    if estimator == "snips":
        total = float(weights.mean())
        value = float((weights * outcomes).mean()) / total if total > 0.0 else 0.0
        return value, weights * (outcomes - value) / total if total > 0.0 else np.zeros(len(outcomes))
    if estimator == "ips":
        parts = weights * outcomes
    elif estimator == "dr":
        parts = sample.expected + weights * (outcomes - sample.expected_asked)
    else:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, got {estimator!r}")
    value = float(parts.mean())
    return value, parts - value


def interval(value: float, parts: Floats, sample: Sample) -> Estimate:
    """Return a value with the 95 % interval that contributions of mean 0 give it."""
    size, largest = _basis(sample)
    error = float(parts.std(ddof=1)) / len(parts) ** 0.5 if len(parts) > 1 else float("inf")
    half = t_quantile(max(size - 1.0, 1.0)) * error
    return Estimate(value, value - half, value + half, size, largest)


def _basis(sample: Sample) -> tuple[float, float]:
    return effective_size(sample.weights * sample.sightings), _largest(sample)


def _largest(sample: Sample) -> float:
    return float((sample.weights * sample.sightings).max())


def t_quantile(degrees: float) -> float:
    """Return the .975 quantile of Student's t; within 1 % from three degrees of freedom on.

    Source: Abramowitz and Stegun 26.7.5.
    """
    z, nu = _Z95, degrees
    return (
        z
        + (z**3 + z) / (4 * nu)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * nu**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * nu**3)
    )
