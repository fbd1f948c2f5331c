"""Which kind of work a prompt asks for: one softmax over eleven kinds, read as seven task types or as eight.

    p = softmax((W [embedding | features | cues] + sum of V over the wordings found + b) / temperature)

The first inputs are standardised, wordings are present or absent. What the kinds mean is in `taxonomy`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...state.errors import ConfigError, InvalidRequest
from ...state.types import GENERAL, TASK_TYPES
from .cues import CUES, cue_hits
from .difficulty import standardise
from .encoded import require_encoder
from .features import FEATURE_NAMES, Features
from .taxonomy import EIGHT_TYPES, KIND_TO_EIGHT, KIND_TO_TASK, KINDS
from .wording import wordings

Floats = NDArray[np.float64]

LEAST_CONFIDENCE = 0.45
"""Below this probability a prompt is filed in the general cell."""
_HINTS = (*TASK_TYPES, GENERAL)
_REFIT = "fit it again: python -m x25.training.fit.classifier"
_WANTED = {
    "kinds", "encoder", "feature_names", "cues", "mean", "scale", "coef", "wordings", "intercept", "temperature",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TaskEstimate:
    """The kind of work and how sure the estimate is."""

    task_type: str
    """The likeliest of the seven types; what the caller said where a hint was given."""
    task_cell: str
    """Key of the bandit's cell: the type, or "general" below `LEAST_CONFIDENCE`."""
    confidence: float
    """Probability of `task_type`, 0 to 1; 1 for a hint."""
    probs: dict[str, float]
    """Probability of each of the seven types as the text alone suggests; sums to 1."""
    eight_type: str
    """The likeliest of the eight request types, among those that agree with a hint."""
    eight_probs: dict[str, float]
    """Probability of each of the eight types as the text alone suggests; sums to 1."""
    source: Literal["hint", "classifier"]


def complete_inputs(features: Features, embedding: ArrayLike) -> Floats:
    """Return [embedding | features | cues], shape (encoder's dimension + features + cues,)."""
    vector = np.asarray(embedding, dtype=np.float64)
    return np.concatenate([vector, features.values, np.array(cue_hits(features.text), dtype=np.float64)])


@dataclass(frozen=True, slots=True)
class TaskClassifier:
    """Fitted parameters. Safe to share between threads."""

    mean: Floats
    """Of each input, shape (inputs,)."""
    scale: Floats
    coef: Floats
    """Weights of the standardised inputs, shape (inputs, kinds)."""
    wording_to_weights: Mapping[str, Floats]
    """What the presence of a word or a pair of words adds to the kinds' scores, shape (kinds,)."""
    intercept: Floats
    temperature: float
    encoder_fingerprint: str
    encoder_dimension: int
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Where the parameters come from: data, date, metrics."""

    @classmethod
    def from_dict(cls, artifact: Mapping[str, Any]) -> "TaskClassifier":
        """Return the classifier an artifact holds.

        Raises
        ------
        ConfigError
            If a key is missing, kinds, features or cues are not this version's, or a parameter is of wrong shape
            or range.
        """
        if missing := _WANTED - artifact.keys():
            raise ConfigError(f"classifier artifact lacks {', '.join(sorted(missing))}; {_REFIT}")
        for key, expected in (("kinds", KINDS), ("feature_names", FEATURE_NAMES), ("cues", CUES)):
            if tuple(artifact[key]) != expected:
                raise ConfigError(
                    f"classifier artifact was fitted on other {key} than this version's; {_REFIT}"
                )
        classifier = cls(
            **{
                key: np.asarray(artifact[key], dtype=np.float64)
                for key in ("mean", "scale", "coef", "intercept")
            },
            wording_to_weights={
                wording: np.asarray(weights, dtype=np.float64)
                for wording, weights in artifact["wordings"].items()
            },
            temperature=float(artifact["temperature"]),
            encoder_fingerprint=str(artifact["encoder"]["fingerprint"]),
            encoder_dimension=int(artifact["encoder"]["dimension"]),
            manifest=dict(artifact.get("manifest", {})),
        )
        if not classifier._is_sound():
            raise ConfigError(f"classifier artifact holds parameters of wrong shape or range; {_REFIT}")
        return classifier

    def require_encoder(self, fingerprint: str, dimension: int) -> None:
        """Refuse an encoder other than the one the classifier was fitted with.

        Raises
        ------
        ConfigError
            Naming both encoders and both dimensions.
        """
        fitted = (self.encoder_fingerprint, self.encoder_dimension)
        require_encoder("classifier artifact", fitted, (fingerprint, dimension), _REFIT)

    def classify(self, features: Features, embedding: ArrayLike, hint: str | None) -> TaskEstimate:
        """Return the task type of a request; a caller's hint wins.

        `embedding` is the encoder's vector of `features.text`, shape (encoder's dimension,).

        Raises
        ------
        ConfigError
            If the embedding is of another dimension than was fitted on.
        InvalidRequest
            If the hint is neither one of the seven types nor "general".
        """
        return _estimate(self.kind_probs(features, embedding), hint)

    @property
    def neutral_embedding(self) -> Floats:
        """The vector that moves no probability, shape (encoder dimension,): stands for one that could not be had."""
        return self.mean[: self.encoder_dimension]

    def kind_probs(self, features: Features, embedding: ArrayLike) -> dict[str, float]:
        """Return the probability of each kind; ConfigError for an embedding of another dimension."""
        inputs = complete_inputs(features, embedding)
        if len(inputs) != len(self.mean):
            raise ConfigError(
                f"the classifier expects an embedding of dimension {self.encoder_dimension}, "
                f"got {np.shape(embedding)}; {_REFIT}"
            )
        scores = self.intercept + standardise(inputs, self.mean, self.scale) @ self.coef
        for wording in wordings(features.text):
            if (weights := self.wording_to_weights.get(wording)) is not None:
                scores += weights
        shares = np.exp((scores - scores.max()) / self.temperature)
        return dict(zip(KINDS, (shares / shares.sum()).tolist(), strict=True))

    def _is_sound(self) -> bool:
        inputs = self.encoder_dimension + len(FEATURE_NAMES) + len(CUES)
        weights = list(self.wording_to_weights.values())
        return (
            self.mean.shape == self.scale.shape == (inputs,)
            and self.coef.shape == (inputs, len(KINDS))
            and self.intercept.shape == (len(KINDS),)
            and all(one.shape == (len(KINDS),) for one in weights)
            and all(
                np.isfinite(one).all() for one in (self.mean, self.scale, self.coef, self.intercept, *weights)
            )
            and bool((self.scale > 0).all())
            and 0.0 < self.temperature < float("inf")
        )


def _estimate(kind_probs: Mapping[str, float], hint: str | None) -> TaskEstimate:
    probs = _folded(kind_probs, TASK_TYPES, KIND_TO_TASK.__getitem__)
    eight_probs = _folded(kind_probs, EIGHT_TYPES, KIND_TO_EIGHT.__getitem__)
    if hint is None:
        task_type = max(probs, key=probs.__getitem__)
        confidence = probs[task_type]
        cell = task_type if confidence >= LEAST_CONFIDENCE else GENERAL
        eight_type = max(eight_probs, key=eight_probs.__getitem__)
        return TaskEstimate(task_type, cell, confidence, probs, eight_type, eight_probs, "classifier")
    if hint not in _HINTS:
        raise InvalidRequest(f"hint must be one of {', '.join(_HINTS)}, got {hint!r}", field="hint")
    eight_type = GENERAL if hint == GENERAL else _eight_type_of(hint, kind_probs)
    return TaskEstimate(hint, hint, 1.0, probs, eight_type, eight_probs, "hint")


def _eight_type_of(task_type: str, kind_probs: Mapping[str, float]) -> str:
    """Return the request type of the likeliest kind of a task type."""
    kinds = [kind for kind in KINDS if KIND_TO_TASK[kind] == task_type]
    return KIND_TO_EIGHT[max(kinds, key=lambda kind: kind_probs[kind])]


def _folded(
    kind_probs: Mapping[str, float], names: Sequence[str], name_of: Callable[[Any], str]
) -> dict[str, float]:
    """Return each name's probability: the sum over its kinds."""
    folded = dict.fromkeys(names, 0.0)
    for kind, prob in kind_probs.items():
        folded[name_of(kind)] += prob
    return folded
