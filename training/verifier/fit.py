"""How is the free verifier fitted on answers known right or wrong? One head for all tiers, evidence a tier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...routing.answer.verifier import ModelAnswers, Verifier
from ...routing.answer.verifier_evidence import TierEvidence, table_of
from ...routing.prompt.linear import LinearHead
from ..data.recorded import Recorded, Texts, fold_of
from ..fit.heads import TierHead, difficulty_target, fit_tier
from ..fit.ridge import fit_ridge_by_folds
from .answer_matrix import Answers, Lengths, model_lengths, with_length_z
from .heads import Fit, fit_head, fit_platt, scores_out_of_fold
from .measures import auc_within

Floats = NDArray[np.float64]
FOLDS = 5
_RATE_FLOOR = 0.02


@dataclass(frozen=True)
class PromptPrior:
    """How likely each model is right, from the prompt alone."""

    difficulty: LinearHead
    tiers: Sequence[TierHead]
    train_probs: Floats
    """Out of fold, shape (training prompts, models)."""

    def probs(self, design: Floats) -> Floats:
        """Return the priors of other prompts, shape (rows, models)."""
        difficulty = self.difficulty.predict(design)
        return np.column_stack([tier.predict(difficulty) for tier in self.tiers])


def fit_prior(train: Recorded, design: Floats, models: Sequence[str]) -> PromptPrior:
    """Fit difficulty on all recorded models and the completion of each of `models` given it."""
    head, difficulty = fit_ridge_by_folds(
        design, difficulty_target(train.pass_rate()), fold_of(train.groups, FOLDS)
    )
    correct = train.correct[:, train.columns(models)]
    tiers = [fit_tier(difficulty, correct[:, column]) for column in range(len(models))]
    return PromptPrior(head, tiers, np.column_stack([tier.predict(difficulty) for tier in tiers]))


def log_odds(probs: ArrayLike) -> Floats:
    """Return the log odds of probabilities clipped to [1e-4, 1 - 1e-4], same shape."""
    clipped = np.clip(np.asarray(probs, dtype=np.float64), 1e-4, 1.0 - 1e-4)
    odds: Floats = np.log(clipped) - np.log1p(-clipped)
    return odds


@dataclass(frozen=True)
class Usual:
    """What is usual for each model's answers on the train side: lengths and log odds of being right."""

    lengths: Lengths
    rate_logits: Floats
    """Shape (models,)."""

    @classmethod
    def of(cls, train: Answers, correct: Floats) -> "Usual":
        """Return what is usual in these answers; `correct` has the shape (prompts, models)."""
        known = np.isfinite(correct)
        rates = np.nansum(correct, axis=0) / np.maximum(known.sum(axis=0), 1)
        return cls(model_lengths(train), log_odds(rates.clip(_RATE_FLOOR, 1.0 - _RATE_FLOOR)))

    def first(self, models: int) -> "Usual":
        """Return this for the first so many models."""
        lengths = Lengths(self.lengths.mean[:models], self.lengths.spread[:models])
        return Usual(lengths, self.rate_logits[:models])

    def inputs(self, answers: Answers, priors: Floats) -> Floats:
        """Return the head's inputs, shape (prompts, models, inputs), in the order of `VERIFIER_INPUTS`."""
        values = with_length_z(answers, self.lengths)
        shape = values.shape[:2]
        rates = np.broadcast_to(self.rate_logits, shape)
        return np.concatenate([values, log_odds(priors)[..., None], rates[..., None]], axis=2)


@dataclass(frozen=True)
class Labelled:
    """Answers to fit on. Arrays start with the shape (prompts, models)."""

    inputs: Floats
    priors: Floats
    correct: Floats
    """1 right, 0 wrong, NaN unknown."""
    datasets: Texts
    fold: NDArray[np.int64]
    """Cross-validation fold of each prompt."""
    models: Sequence[str]
    tiers: Sequence[str]
    """Tier of each model; several may share one."""
    usual: Usual

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which answers there are and are known right or wrong."""
        return np.isfinite(self.correct) & np.isfinite(self.inputs).all(axis=2)


@dataclass(frozen=True)
class FittedVerifier:
    """A verifier and what it says of the answers it was fitted on, out of fold."""

    verifier: Verifier
    train_logits: Floats
    """Log odds of being right, shape (prompts, models); NaN = no answer."""

    def logits(self, inputs: Floats, tiers: Sequence[str]) -> Floats:
        """Return the log odds of other answers; `inputs` (prompts, models, inputs), a tier per model."""
        scores = np.full(inputs.shape[:2], np.nan)
        known = np.isfinite(inputs).all(axis=2)
        scores[known] = self.verifier.head.logits(inputs[known])
        return _platt_logits(scores, [self.verifier.tiers[tier] for tier in tiers])


def fit_verifier(data: Labelled, *, encoder: str, fit: Fit = fit_head) -> FittedVerifier:
    """Fit one head for all tiers, and per tier its calibration and its table of evidence, out of fold.

    The AUC inside a data set, out of fold, stands in for the first audit. `encoder` is the fingerprint of the encoder
    behind the priors.
    """
    known = data.known
    prompts = np.broadcast_to(np.arange(len(known))[:, None], known.shape)
    scores = np.full(known.shape, np.nan)
    scores[known] = scores_out_of_fold(
        data.inputs[known], data.correct[known], data.fold[prompts[known]], fit
    )
    tier_evidence = {tier: _tier_evidence(tier, data, scores) for tier in dict.fromkeys(data.tiers)}
    usual = zip(data.usual.rate_logits, data.usual.lengths.mean, data.usual.lengths.spread, strict=True)
    verifier = Verifier(
        head=fit(data.inputs[known], data.correct[known]),
        tiers=tier_evidence,
        models={model: ModelAnswers(*map(float, one)) for model, one in zip(data.models, usual, strict=True)},
        encoder=encoder,
    )
    return FittedVerifier(verifier, _platt_logits(scores, [tier_evidence[tier] for tier in data.tiers]))


def _platt_logits(scores: Floats, tiers: Sequence[TierEvidence]) -> Floats:
    """Return calibrated log odds of scores of shape (prompts, models), a tier per model."""
    return np.column_stack(
        [tier.slope * scores[:, column] + tier.intercept for column, tier in enumerate(tiers)]
    )


def _tier_evidence(tier: str, data: Labelled, scores: Floats) -> TierEvidence:
    columns = [column for column, name in enumerate(data.tiers) if name == tier]
    known = data.known[:, columns]
    own, right = scores[:, columns][known], data.correct[:, columns][known]
    slope, intercept = fit_platt(own, right)
    evidence = slope * own + intercept - log_odds(data.priors[:, columns][known])
    audits = [
        auc_within(scores[rows, column], data.correct[rows, column], data.datasets[rows])
        for column in columns
        for rows in (data.known[:, column],)
    ]
    measured = [audit for audit in audits if np.isfinite(audit)]
    return TierEvidence(
        slope,
        intercept,
        table_of(f"verifier {tier}", evidence, right),
        labels=len(right),
        audit_auc=float(np.mean(measured)) if measured else None,
    )


@dataclass(frozen=True)
class Answered:
    """Prompts with their answers and what was believed before these came."""

    recorded: Recorded
    answers: Answers
    priors: Floats
    """P(right) of each of the answers' models from the prompt alone, shape (prompts, models); on train out of fold."""

    @property
    def correct(self) -> Floats:
        """How the answers turned out, shape (prompts, models)."""
        return self.recorded.correct[:, self.recorded.columns(self.answers.models)]

    def usual(self) -> Usual:
        """Return what is usual in these answers; of the train side."""
        return Usual.of(self.answers, self.correct)

    def labelled(self, usual: Usual, tiers: Sequence[str] | None = None) -> Labelled:
        """Return the answers to fit on or to measure; without `tiers` each model is a tier of its own."""
        return Labelled(
            usual.inputs(self.answers, self.priors),
            self.priors,
            self.correct,
            self.recorded.datasets,
            fold_of(self.recorded.groups, FOLDS),
            self.answers.models,
            self.answers.models if tiers is None else tiers,
            usual,
        )
