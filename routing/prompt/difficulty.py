"""How hard a prompt is: a linear head over its embedding and cheap features, fitted on recorded pass rates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...state.errors import ConfigError
from .encoded import require_encoder
from .features import FEATURE_NAMES
from .linear import LinearHead, standardise

__all__ = ["Band", "Difficulty", "DifficultyModel", "standardise"]

Band = Literal["easy", "medium", "hard"]
Floats = NDArray[np.float64]
_REFIT = "fit it again: python -m x25.training.fit.difficulty"


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Where a prompt stands."""

    value: float
    """Logits, 0 = mean of the training prompts; higher is harder."""
    sigma: float
    """Standard deviation of what the estimate leaves unexplained, logits; larger for prompts unlike the training's."""
    band: Band
    """Third of the training prompts it would fall in."""


@dataclass(frozen=True, slots=True)
class DifficultyModel:
    """A fitted head and what is needed to read it."""

    head: LinearHead
    terciles: tuple[float, float]
    encoder_fingerprint: str
    """Which encoder's embeddings it was fitted on; empty = none, features alone."""
    encoder_dimension: int
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
        wanted = {"encoder", "feature_names", "head", "terciles"}
        if missing := wanted - parameters.keys():
            raise ConfigError(f"difficulty artifact lacks {', '.join(sorted(missing))}; {_REFIT}")
        if tuple(parameters["feature_names"]) != FEATURE_NAMES:
            raise ConfigError(f"difficulty artifact was fitted on other features than these; {_REFIT}")
        head = LinearHead.from_dict(parameters["head"])
        easy_end, hard_start = (float(bound) for bound in parameters["terciles"])
        dimension = int(parameters["encoder"]["dimension"])
        if (
            len(head.coef) != dimension + len(FEATURE_NAMES)
            or not head.low < easy_end < hard_start < head.high
        ):
            raise ConfigError(f"difficulty artifact holds parameters of wrong shape or range; {_REFIT}")
        return cls(
            head=head,
            terciles=(easy_end, hard_start),
            encoder_fingerprint=str(parameters["encoder"]["fingerprint"]),
            encoder_dimension=dimension,
            manifest=dict(parameters.get("manifest", {})),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the artifact: JSON values that `from_dict` reads."""
        return {
            "encoder": {"fingerprint": self.encoder_fingerprint, "dimension": self.encoder_dimension},
            "feature_names": list(FEATURE_NAMES),
            "head": self.head.to_dict(),
            "terciles": list(self.terciles),
            "manifest": dict(self.manifest),
        }

    def require_encoder(self, fingerprint: str, dimension: int) -> None:
        """Refuse an encoder other than the one the head was fitted with.

        Raises
        ------
        ConfigError
            Naming both encoders and both dimensions.
        """
        fitted = (self.encoder_fingerprint, self.encoder_dimension)
        require_encoder("difficulty head", fitted, (fingerprint, dimension), _REFIT)

    def estimate(self, inputs: ArrayLike) -> Difficulty:
        """Return the difficulty of a request, clipped to what was seen in training.

        `inputs` is [embedding | features], shape (encoder dimension + number of `FEATURE_NAMES`,). A prompt unlike
        the training's is placed nearer to the mean, with a larger sigma.
        """
        values = np.asarray(inputs, dtype=np.float64)
        value, sigma = map(float, self.head.estimate(values))
        return Difficulty(value=value, sigma=sigma, band=self.band(value))

    @property
    def made_by(self) -> tuple[str, int]:
        """Fingerprint and dimension of the encoder whose vectors it reads."""
        return self.encoder_fingerprint, self.encoder_dimension

    @property
    def neutral_embedding(self) -> NDArray[np.float64]:
        """The vector that moves no estimate, shape (encoder dimension,): stands for one that could not be had."""
        head, size = self.head, self.encoder_dimension
        return np.asarray((head.mean + head.centre * head.scale)[:size])

    def band(self, value: float) -> Band:
        """Return the third of the training prompts a difficulty falls in."""
        easy_end, hard_start = self.terciles
        return "easy" if value < easy_end else "hard" if value > hard_start else "medium"
