"""Ridge regression of standardised inputs, small enough to be written down: a mean, a scale and a weight an input."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.difficulty import standardise

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ridge:
    """A fitted ridge; arrays have shape (inputs,)."""

    mean: Floats
    scale: Floats
    coef: Floats
    intercept: float
    alpha: float
    low: float
    high: float
    """Range of its estimates in training; what it says later is clipped to it."""

    def predict(self, design: Floats) -> Floats:
        """Return the estimates, shape (rows,)."""
        raw: Floats = standardise(design, self.mean, self.scale) @ self.coef + self.intercept
        return raw.clip(self.low, self.high)


def fit_plain_ridge(design: Floats, target: Floats, alpha: float) -> Ridge:
    """Fit on standardised inputs within ±4 deviations; an input that never varies gets no weight.

    Parameters: shapes are (rows, inputs) and (rows,), all finite; `alpha` is the penalty, above 0.
    """
    mean, spread = design.mean(axis=0), design.std(axis=0)
    varies = spread > 1e-6
    scale = np.where(varies, spread, 1.0)
    inputs = standardise(design, mean, scale) * varies
    level = float(target.mean())
    centre = inputs.mean(axis=0)
    centred = inputs - centre
    gram = centred.T @ centred + alpha * np.eye(inputs.shape[1])
    coef = np.linalg.solve(gram, centred.T @ (target - level)) * varies
    intercept = level - float(centre @ coef)
    estimates = inputs @ coef + intercept
    return Ridge(mean, scale, coef, intercept, alpha, float(estimates.min()), float(estimates.max()))
