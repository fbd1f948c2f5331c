"""The free verifier: how likely an answer is right, from its text alone, before a judge is paid.

A head reads the answer's features, the prompt's prior and how good the model is on average. What it adds to the
prior is evidence of price zero; `verifier_evidence` says what it is worth. It knows nothing of a task nobody audited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...state.errors import ConfigError
from ..belief.judge_table import JudgeTable
from ..prompt.logistic import logit, sigmoid
from .features import ANSWER_FEATURE_NAMES, PAIR_FEATURE_NAMES, AnswerFeatures
from .verifier_evidence import LEAST_PROB, TierEvidence
from .verifier_trees import Head, head_from_dict

Floats = NDArray[np.float64]

FEATURE_VERSION = "answers-1"
"""Changes whenever a feature of the same name comes to mean something else."""
VERIFIER_INPUTS: tuple[str, ...] = (*ANSWER_FEATURE_NAMES, "prior_logit", "model_rate_logit")
"""What each input of the head is."""
KIND = "verifier"
"""What an org's own is filed under."""
FEATURES_ID = sha256(repr((FEATURE_VERSION, ANSWER_FEATURE_NAMES)).encode()).hexdigest()[:16]
"""Names what kept features are made of."""
_REFIT = "fit it again: x25 train --from-log ORG"
_USUAL_LENGTH = (6.0, 1.0)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the free verifier says of one answer."""

    prob: float
    """Probability that it is right, given the prompt's prior; calibrated for its tier."""
    evidence: float
    """Log odds of `prob` less those of the prior."""
    bin: int
    """Which of the tier's five bins the evidence falls in, 0 (worst) to 4."""
    table: JudgeTable
    """What the bin is worth; flat where the verifier is not trusted."""

    def posterior(self, theta: float) -> float:
        """Return the probability of a right answer that was believed right with `theta`."""
        return self.table.posterior(theta, self.bin)


def pack_features(features: AnswerFeatures) -> bytes:
    """Return an answer's features as little-endian half precision, two bytes each."""
    return features.values.clip(-65_504.0, 65_504.0).astype("<f2").tobytes()


def unpack_features(packed: bytes) -> Floats:
    """Return what `pack_features` packed, shape (features,)."""
    return np.frombuffer(packed, dtype="<f2").astype(np.float64)


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """What is usual for one model's answers."""

    rate_logit: float
    """Log odds of the share that are right."""
    length_mean: float
    """Mean of log(1 + characters)."""
    length_sd: float


@dataclass(frozen=True)
class Verifier:
    """A fitted verifier."""

    head: Head
    tiers: Mapping[str, TierEvidence]
    models: Mapping[str, ModelAnswers]
    encoder: str
    """Fingerprint of the encoder behind the prior it was fitted with."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Where the parameters come from: data hash, date, metrics."""

    def assess(
        self, answer: AnswerFeatures, *, prior_prob: float, model_id: str, tier: str
    ) -> Assessment | None:
        """Return what is to be thought of an answer; None for a tier that was not fitted.

        `prior_prob` is what the prompt alone says; the answer's features must have been extracted with
        `usual(model_id)`'s lengths.
        """
        if tier not in self.tiers:
            return None
        known = self.tiers[tier]
        prior_logit = logit(prior_prob, LEAST_PROB)
        inputs = [*answer.values.tolist(), prior_logit, self.usual(model_id).rate_logit]
        log_odds = known.slope * self.head.logit(inputs) + known.intercept
        evidence = log_odds - prior_logit
        table = known.table
        return Assessment(sigmoid(log_odds), evidence, known.fitted.bin_of(evidence), table)

    def usual(self, model_id: str) -> ModelAnswers:
        """Return what is usual for a model; of an unknown one, what is usual for the known."""
        if model_id in self.models:
            return self.models[model_id]
        if not self.models:
            return ModelAnswers(0.0, *_USUAL_LENGTH)
        known = list(self.models.values())
        return ModelAnswers(
            *(
                float(np.mean([getattr(one, name) for one in known]))
                for name in ("rate_logit", "length_mean", "length_sd")
            )
        )

    def audited(self, tier: str, auc: float, labels: int | None = None) -> "Verifier":
        """Return this with the outcome of a newer audit of one tier.

        Raises
        ------
        ConfigError
            If the tier was not fitted.
        """
        if tier not in self.tiers:
            raise ConfigError(f"verifier knows the tiers {', '.join(sorted(self.tiers))}, got {tier!r}")
        return replace(self, tiers={**self.tiers, tier: self.tiers[tier].audited(auc, labels)})

    def to_dict(self) -> dict[str, Any]:
        """Return the verifier as JSON values."""
        return {
            "feature_version": FEATURE_VERSION,
            "inputs": list(VERIFIER_INPUTS),
            "encoder": self.encoder,
            "head": self.head.to_dict(),
            "tiers": {tier: _tier_to_dict(known) for tier, known in self.tiers.items()},
            "models": {
                model: [one.rate_logit, one.length_mean, one.length_sd] for model, one in self.models.items()
            },
            "manifest": dict(self.manifest),
        }

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any], *, encoder: str) -> "Verifier":
        """Return the verifier that `to_dict` wrote.

        Raises
        ------
        ConfigError
            If it was fitted on other features, behind another encoder than `encoder`, or holds unsound values.
        """
        if (
            parameters.get("feature_version") != FEATURE_VERSION
            or tuple(parameters.get("inputs", ())) != VERIFIER_INPUTS
        ):
            raise ConfigError(f"verifier artifact was fitted on other answer features than these; {_REFIT}")
        if parameters.get("encoder") != encoder:
            raise ConfigError(
                f"verifier artifact was fitted behind encoder {parameters.get('encoder')!r}, "
                f"this gateway has {encoder!r}; {_REFIT}"
            )
        try:
            head = head_from_dict(parameters["head"])
            tiers = {tier: _tier_from_dict(tier, known) for tier, known in parameters["tiers"].items()}
            models = {
                model: ModelAnswers(*_finite(values, 3)) for model, values in parameters["models"].items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"verifier artifact is incomplete or out of range ({error}); {_REFIT}"
            ) from error
        if head.inputs != len(VERIFIER_INPUTS):
            raise ConfigError(
                f"verifier artifact: its head reads {head.inputs} inputs, not {len(VERIFIER_INPUTS)}; {_REFIT}"
            )
        return cls(head, tiers, models, encoder, dict(parameters.get("manifest", {})))


_SAME, _OWN, _OTHER = map(PAIR_FEATURE_NAMES.index, ("same_final", "own_logit", "other_logit"))
PAIR_INPUTS = len(PAIR_FEATURE_NAMES) + 2


def with_products(features: Floats) -> Floats:
    """Return `pair_features` and two products: what agreement is worth depends on how sure each answer is.

    Appends (same - 1/2) times each of the two verifier logits; shape (..., 7) becomes (..., `PAIR_INPUTS`).
    """
    agreement = features[..., [_SAME]] - 0.5
    return np.concatenate([features, agreement * features[..., [_OWN, _OTHER]]], axis=-1)


def _tier_to_dict(known: TierEvidence) -> dict[str, Any]:
    return {
        "platt": [known.slope, known.intercept],
        "edges": list(known.fitted.edges),
        "right": list(known.fitted.right),
        "wrong": list(known.fitted.wrong),
        "labels": known.labels,
        "audit_auc": known.audit_auc,
    }


def _tier_from_dict(tier: str, parameters: Mapping[str, Any]) -> TierEvidence:
    edges, right, wrong = (
        tuple(_finite(parameters[key], size)) for key, size in (("edges", 4), ("right", 5), ("wrong", 5))
    )
    slope, intercept = _finite(parameters["platt"], 2)
    auc = parameters["audit_auc"]
    return TierEvidence(
        slope,
        intercept,
        fitted=JudgeTable(f"verifier {tier}", edges, right, wrong),
        labels=int(parameters["labels"]),
        audit_auc=None if auc is None else _finite([auc], 1)[0],
    )


def _finite(values: Any, size: int) -> list[float]:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (size,) or not np.isfinite(array).all():
        raise ValueError(f"expected {size} finite numbers, got {values!r}")
    return [float(value) for value in array]
