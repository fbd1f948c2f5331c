"""A linear head that knows what it has not seen: ridge regression with the leverage of each input."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...state.errors import ConfigError

Floats = NDArray[np.float64]

MOST_DEVIATIONS = 4.0
NOVELTY_SHRINKAGE = 0.5
"""How fast an estimate fades to the mean as a prompt becomes unlike those fitted on. Chosen on training prompts
with whole families of templates left out: their calibration error halves (.17 to .09, .24 to .13, .21 to .11 for
three models), at .004 of log loss on families that were seen."""


def standardise(values: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return (values - mean) / scale within ±4, so that no single unusual input decides alone."""
    deviations: Floats = np.clip((values - mean) / scale, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    return deviations


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A fitted linear model; arrays of shape (inputs,) unless said otherwise.

    estimate = level + (raw - level) / (1 + shrinkage x novelty), novelty = max(0, leverage / typical leverage - 1),
    leverage = |factor' z|^2 for standardised, centred inputs z: z' (Z'Z + alpha)^-1 z, the share of an estimate's
    variance that comes from not having seen such inputs (the leverage of ridge regression; Hoerl and Kennard 1970).
    """

    mean: Floats
    scale: Floats
    centre: Floats
    """Mean of the standardised inputs; not zero where the clipping bites on one side."""
    coef: Floats
    level: float
    """Mean of the training targets, which an estimate fades to."""
    low: float
    high: float
    """Range of the estimates in training; later ones are clipped to it."""
    alpha: float
    factor: NDArray[np.float32]
    """Shape (inputs, inputs)."""
    typical: float
    """Median leverage of prompts like those fitted on."""
    shrinkage: float = NOVELTY_SHRINKAGE
    """How fast an estimate fades to the level with novelty; 0 = not at all."""
    sigma: tuple[float, float] = (0.0, 0.0)
    """Variance of what an estimate leaves unexplained = first + second x leverage."""

    def predict(self, design: ArrayLike) -> Floats:
        """Return the estimate of each row, shape (rows,); of one row, shape ()."""
        return self.estimate(design)[0]

    def estimate(self, design: ArrayLike) -> tuple[Floats, Floats]:
        """Return the estimate of each row and its standard deviation, each of shape (rows,); of one row, ()."""
        inputs = self._inputs(design)
        leverage = self._leverage(inputs)
        shrunk = (inputs @ self.coef) / (1.0 + self.shrinkage * self._novelty(leverage))
        constant, slope = self.sigma
        return (
            np.asarray((self.level + shrunk).clip(self.low, self.high)),
            np.asarray(np.sqrt(constant + slope * leverage)),
        )

    @property
    def intercept(self) -> float:
        """Estimate of a prompt whose inputs all stand at their mean, were nothing clipped."""
        return self.level - float(self.centre @ self.coef)

    def novelty(self, design: ArrayLike) -> Floats:
        """Return how unlike the training prompts each row is, 0 = like half of them."""
        return self._novelty(self._leverage(self._inputs(design)))

    def _inputs(self, design: ArrayLike) -> Floats:
        return standardise(np.asarray(design, dtype=np.float64), self.mean, self.scale) - self.centre

    def _leverage(self, inputs: Floats) -> Floats:
        spread = inputs.astype(np.float32) @ self.factor
        return np.asarray((spread * spread).sum(axis=-1), dtype=np.float64)

    def _novelty(self, leverage: Floats) -> Floats:
        return np.asarray(np.maximum(0.0, leverage / self.typical - 1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return the head as JSON values; the factor in half precision, base64."""
        packed = base64.b64encode(self.factor.astype("<f2").tobytes()).decode("ascii")
        arrays = {name: [float(f"{one:.7g}") for one in getattr(self, name)] for name in _ARRAYS}
        numbers = {name: float(f"{getattr(self, name):.9g}") for name in _NUMBERS}
        return {**arrays, **numbers, "sigma": list(self.sigma), "factor_f2": packed}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "LinearHead":
        """Return the head an artifact holds.

        Raises
        ------
        ConfigError
            If a key is missing, or a parameter is of wrong shape or range.
        """
        if missing := {*_ARRAYS, *_NUMBERS, "sigma", "factor_f2"} - given.keys():
            raise ConfigError(f"a fitted head lacks {', '.join(sorted(missing))}")
        try:
            arrays = {name: np.asarray(given[name], dtype=np.float64) for name in _ARRAYS}
            inputs = len(arrays["coef"])
            factor = np.frombuffer(base64.b64decode(given["factor_f2"]), dtype="<f2").astype(np.float32)
            numbers = {name: float(given[name]) for name in _NUMBERS}
            constant, slope = (float(one) for one in given["sigma"])
        except (TypeError, ValueError) as error:
            raise ConfigError(f"a fitted head holds what is no parameter: {error}") from error
        is_sound = (
            all(array.shape == (inputs,) and np.isfinite(array).all() for array in arrays.values())
            and bool((arrays["scale"] > 0).all())
            and factor.size == inputs * inputs
            and bool(np.isfinite(factor).all())
            and all(map(np.isfinite, numbers.values()))
            and numbers["low"] <= numbers["high"]
            and numbers["typical"] > 0
            and np.isfinite([constant, slope]).all()
            and constant >= 0 <= slope
        )
        if not is_sound:
            raise ConfigError("a fitted head holds parameters of wrong shape or range")
        parameters: dict[str, Any] = {**arrays, **numbers}
        return cls(**parameters, factor=factor.reshape(inputs, inputs), sigma=(constant, slope))


_ARRAYS = ("mean", "scale", "centre", "coef")
_NUMBERS = ("level", "low", "high", "alpha", "typical", "shrinkage")
