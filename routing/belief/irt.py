"""Probability that a model completes a prompt, from what the model is known for and how hard the prompt is.

    mu = sigmoid(a capability + b difficulty + c),  a > 0, b < 0

Capability is published, so a model nobody has recorded can be ranked; difficulty is estimated from the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...state.errors import ConfigError, NotFound
from ...state.types import TIERS, Tier
from ..prompt.difficulty import standardise
from ..prompt.encoded import require_encoder
from ..prompt.features import FEATURE_NAMES
from ..prompt.logistic import logit, sigmoid
from .completion import TIER_PRIOR

FormName = Literal["estimated", "seed"]
Basis = Literal["profile", "tier prior"]
Floats = NDArray[np.float64]

CAPABILITY_BENCHMARKS = ("gpqa_diamond", "livecodebench")
"""Published benchmarks whose mean is a model's capability."""
COMPLETION_THRESHOLD = 0.75
"""Score from which an answer counts as having completed its prompt."""
PASS_RATE_FLOOR = 0.02
LEAST_MODELS = 3
_REFIT = "fit it again: x25 train"
_ARRAYS = ("mean", "scale", "coef")
_WANTED = {"feature_names", "encoder", *_ARRAYS, "intercept", "low", "high", "forms"}


def capability_of(benchmarks: Mapping[str, float | None]) -> float | None:
    """Return the mean of the known capability benchmarks, 0 to 1; None where none is known.

    Parameters: `benchmarks` maps a name to a percentage, 0 to 100, or None.
    """
    known = [score for name in CAPABILITY_BENCHMARKS if (score := benchmarks.get(name)) is not None]
    return sum(known) / len(known) / 100.0 if known else None


@dataclass(frozen=True, slots=True)
class Profile:
    """What is published of a model."""

    model_id: str
    benchmarks: Mapping[str, float | None] = field(default_factory=dict)
    """Percentages, 0 to 100; None = unknown."""
    tier: Tier = "mid"
    """Decides the level where no capability benchmark is known."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises
        ------
        ConfigError
            Naming the model and what is wrong with it.
        """
        if not self.model_id:
            raise ConfigError("expected a profile to name its model, got an empty model_id")
        if self.tier not in TIERS:
            raise ConfigError(f"{self.model_id}: tier must be one of {', '.join(TIERS)}, got {self.tier!r}")
        for name, score in self.benchmarks.items():
            if score is not None and not 0.0 <= score <= 100.0:
                raise ConfigError(f"{self.model_id}: {name} must be a percentage, 0 to 100, got {score!r}")

    @property
    def capability(self) -> float | None:
        """Mean of the capability benchmarks, 0 to 1; None where none is known."""
        return capability_of(self.benchmarks)


@dataclass(frozen=True, slots=True)
class FactoredForm:
    """The coefficients of mu = sigmoid(a capability + b difficulty + c)."""

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        """Check the signs.

        Raises
        ------
        ConfigError
            If capability would not help, or difficulty would.
        """
        if not (self.a > 0.0 > self.b and np.isfinite([self.a, self.b, self.c]).all()):
            raise ConfigError(f"expected a > 0, b < 0 and c finite, got a={self.a}, b={self.b}, c={self.c}")

    def mu(self, capability: float, difficulty: float) -> float:
        """Return the probability of completion; both arguments as in training."""
        return sigmoid(self.a * capability + self.b * difficulty + self.c)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected of one model on one prompt."""

    model_id: str
    mu: float
    """Probability of completion."""
    difficulty: float
    """Logits, as the training prompts' -logit of pass rate; clipped to their range."""
    capability: float | None
    """Published, 0 to 1; None = not known."""
    basis: Basis
    """"tier prior" where no capability benchmark is published: the level is the tier's, not the model's."""


@dataclass(frozen=True, slots=True)
class CompletionModel:
    """A difficulty head and the forms fitted with it. Arrays have shape (encoder dimension + features,)."""

    mean: Floats
    scale: Floats
    coef: Floats
    intercept: float
    low: float
    """Lowest estimated difficulty of a training prompt; estimates are clipped to [low, high]."""
    high: float
    forms: Mapping[FormName, FactoredForm]
    """"estimated" is fitted on out-of-fold estimates of difficulty, as served; "seed" on the empirical one."""
    encoder_fingerprint: str
    encoder_dimension: int
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Threshold, floor, least models, counts, metrics, data hash."""

    @classmethod
    def from_dict(cls, artifact: Mapping[str, Any]) -> "CompletionModel":
        """Return the model an artifact holds.

        Raises
        ------
        ConfigError
            If a key is missing, the features are not this version's, or a parameter is of wrong shape or range.
        """
        if missing := _WANTED - artifact.keys():
            raise ConfigError(f"completion artifact lacks {', '.join(sorted(missing))}; {_REFIT}")
        dimension = int(artifact["encoder"]["dimension"])
        names = tuple(artifact["feature_names"])
        if names != FEATURE_NAMES:
            raise ConfigError(
                f"completion artifact was fitted on {dimension} embedding + {len(names)} feature inputs, this "
                f"version counts {len(FEATURE_NAMES)} features, not all the same; {_REFIT}"
            )
        arrays = {name: np.asarray(artifact[name], dtype=np.float64) for name in _ARRAYS}
        inputs = dimension + len(FEATURE_NAMES)
        low, high = float(artifact["low"]), float(artifact["high"])
        is_sound = (
            all(array.shape == (inputs,) and np.isfinite(array).all() for array in arrays.values())
            and bool((arrays["scale"] > 0).all())
            and low < high
            and set(artifact["forms"]) == set(get_args(FormName))
        )
        if not is_sound:
            raise ConfigError(f"completion artifact holds parameters of wrong shape or range; {_REFIT}")
        profiles = (Profile(**profile) for profile in artifact.get("profiles", ()))
        return cls(
            **arrays,
            intercept=float(artifact["intercept"]),
            low=low,
            high=high,
            forms={cast("FormName", name): FactoredForm(**form) for name, form in artifact["forms"].items()},
            encoder_fingerprint=str(artifact["encoder"]["fingerprint"]),
            encoder_dimension=dimension,
            profiles={profile.model_id: profile for profile in profiles},
            manifest=dict(artifact.get("manifest", {})),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the artifact: JSON values that `from_dict` reads back to the same predictions."""
        return {
            "encoder": {"fingerprint": self.encoder_fingerprint, "dimension": self.encoder_dimension},
            "feature_names": list(FEATURE_NAMES),
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            "intercept": self.intercept,
            "low": self.low,
            "high": self.high,
            "forms": {name: {"a": form.a, "b": form.b, "c": form.c} for name, form in self.forms.items()},
            "profiles": [
                {"model_id": one.model_id, "benchmarks": dict(one.benchmarks), "tier": one.tier}
                for one in self.profiles.values()
            ],
            "manifest": dict(self.manifest),
        }

    def with_profiles(self, profiles: Mapping[str, Profile]) -> "CompletionModel":
        """Return the model with further profiles, which win over those of the same model_id; nothing is refitted."""
        return replace(self, profiles={**self.profiles, **profiles})

    def require_encoder(self, fingerprint: str, dimension: int) -> None:
        """Refuse an encoder other than the one the difficulty head was fitted with.

        Raises
        ------
        ConfigError
            Naming both encoders and both dimensions.
        """
        fitted = (self.encoder_fingerprint, self.encoder_dimension)
        require_encoder("completion artifact", fitted, (fingerprint, dimension), _REFIT)

    def difficulty(self, inputs: ArrayLike) -> float:
        """Return the difficulty of a prompt in logits, clipped to the range of the training prompts.

        `inputs` is [embedding | features], shape (encoder dimension + features,).

        Raises
        ------
        ConfigError
            If there are more or fewer inputs than were fitted on, or one is not finite.
        """
        values = np.asarray(inputs, dtype=np.float64)
        if values.shape != self.coef.shape:
            raise ConfigError(
                f"expected {len(self.coef)} inputs ({self.encoder_dimension} of the encoder, {len(FEATURE_NAMES)} "
                f"features), got shape {values.shape}; {_REFIT}"
            )
        if not np.isfinite(values).all():
            raise ConfigError("expected finite inputs, got NaN or infinity from the encoder")
        raw = float(standardise(values, self.mean, self.scale) @ self.coef) + self.intercept
        return min(max(raw, self.low), self.high)

    def predict(
        self, inputs: ArrayLike, model_ids: Sequence[str], form: FormName = "estimated"
    ) -> list[Prediction]:
        """Return a prediction a model, in the order asked for; none depends on which others are asked for.

        Parameters
        ----------
        inputs
            [embedding | features] of the prompt, shape (encoder dimension + features,).
        form
            "estimated" (default), or "seed": the published recipe, kept as a baseline.

        Raises
        ------
        ConfigError
            As `difficulty`.
        NotFound
            If a model has no profile, naming the nearest that has one.
        """
        profiles = [self._profile(model_id) for model_id in model_ids]
        difficulty = self.difficulty(inputs)
        chosen = self.forms[form]
        return [_predict(profile, difficulty, chosen) for profile in profiles]

    def _profile(self, model_id: str) -> Profile:
        profile = self.profiles.get(model_id)
        if profile is None:
            nearest = get_close_matches(model_id, self.profiles, n=1, cutoff=0.0)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else "; add one"
            raise NotFound(f"no profile of {model_id!r}{hint}")
        return profile


def _predict(profile: Profile, difficulty: float, form: FactoredForm) -> Prediction:
    """Return the factored form's prediction; without a capability the level is the prior of the model's tier."""
    capability = profile.capability
    if capability is None:
        mu = sigmoid(logit(TIER_PRIOR[profile.tier]) + form.b * difficulty)
        return Prediction(profile.model_id, mu, difficulty, None, "tier prior")
    return Prediction(profile.model_id, form.mu(capability, difficulty), difficulty, capability, "profile")
