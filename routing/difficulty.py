"""How hard a prompt is: a linear model of cheap features, fitted on recorded pass rates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..state.errors import ConfigError
from .features import FEATURE_NAMES

Band = Literal["easy", "medium", "hard"]
Floats = NDArray[np.float64]
_MOST_DEVIATIONS = 4.0
_REFIT = "fit it again: python -m x25.training.fit_difficulty"


def standardise(values: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return (values - mean) / scale within ±4, so that no single unusual feature decides alone."""
    deviations: Floats = np.clip((values - mean) / scale, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    return deviations


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Where a prompt stands."""

    value: float
    """Logits, 0 = mean of the training prompts; higher is harder."""
    sigma: float
    """Standard deviation of what the estimate leaves unexplained, logits."""
    band: Band
    """Third of the training prompts it would fall in."""


@dataclass(frozen=True, slots=True)
class DifficultyModel:
    """Fitted parameters; every array has shape (number of features,)."""

    mean: Floats
    scale: Floats
    coef: Floats
    intercept: float
    low: float
    """Lowest difficulty seen in training."""
    high: float
    sigma: float
    terciles: tuple[float, float]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Where the parameters come from: data hash, date, metrics."""

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "DifficultyModel":
        """Return the model an artifact holds.

        Raises
        ------
        ConfigError
            If a key is missing, the features are not those of this version, or a parameter is out of range.
        """
        wanted = {"feature_names", "mean", "scale", "coef", "intercept", "low", "high", "sigma", "terciles"}
        if missing := wanted - parameters.keys():
            raise ConfigError(f"difficulty artifact lacks {', '.join(sorted(missing))}; {_REFIT}")
        if tuple(parameters["feature_names"]) != FEATURE_NAMES:
            raise ConfigError(f"difficulty artifact was fitted on other features than these; {_REFIT}")
        mean, scale, coef = (
            np.asarray(parameters[key], dtype=np.float64) for key in ("mean", "scale", "coef")
        )
        easy_end, hard_start = (float(bound) for bound in parameters["terciles"])
        low, high, sigma = (float(parameters[key]) for key in ("low", "high", "sigma"))
        is_sound = (
            mean.shape == scale.shape == coef.shape == (len(FEATURE_NAMES),)
            and all(np.isfinite(array).all() for array in (mean, scale, coef))
            and bool((scale > 0).all())
            and low < easy_end < hard_start < high
            and sigma > 0
        )
        if not is_sound:
            raise ConfigError(f"difficulty artifact holds parameters of wrong shape or range; {_REFIT}")
        return cls(
            mean=mean,
            scale=scale,
            coef=coef,
            intercept=float(parameters["intercept"]),
            low=low,
            high=high,
            sigma=sigma,
            terciles=(easy_end, hard_start),
            manifest=dict(parameters.get("manifest", {})),
        )

    def estimate(self, values: ArrayLike) -> Difficulty:
        """Return the difficulty of a request, clipped to what was seen in training.

        `values` are its features, shape (number of `FEATURE_NAMES`,).
        """
        deviations = standardise(np.asarray(values, dtype=np.float64), self.mean, self.scale)
        value = float(np.clip(deviations @ self.coef + self.intercept, self.low, self.high))
        easy_end, hard_start = self.terciles
        band: Band = "easy" if value < easy_end else "hard" if value > hard_start else "medium"
        return Difficulty(value=value, sigma=self.sigma, band=band)
