"""Fit the free verifier on answers known right or wrong: recorded outcomes, judged calls, people's feedback."""

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
        return platt_logits(_scores(self.verifier, inputs), [self.verifier.tiers[tier] for tier in tiers])


def fit_verifier(  # noqa: PLR0913 - the data, what its columns are, how to fit
    data: Labelled,
    models: Sequence[str],
    tiers: Sequence[str],
    usual: Usual,
    *,
    encoder: str,
    fit: Fit = fit_head,
) -> FittedVerifier:
    """Fit one head for all tiers, and per tier its calibration and its table of evidence, out of fold.

    `models` and `tiers` name the columns of `data`; several models may share a tier. The AUC inside a data set,
    out of fold, stands in for the first audit.
    """
    known = data.known
    prompts = np.broadcast_to(np.arange(len(known))[:, None], known.shape)
    scores = np.full(known.shape, np.nan)
    scores[known] = scores_out_of_fold(
        data.inputs[known], data.correct[known], data.fold[prompts[known]], fit
    )
    tier_evidence = {tier: _tier_evidence(tier, data, scores, tiers) for tier in dict.fromkeys(tiers)}
    verifier = Verifier(
        head=fit(data.inputs[known], data.correct[known]),
        tiers=tier_evidence,
        models={
            model: ModelAnswers(
                float(usual.rate_logits[column]),
                float(usual.lengths.mean[column]),
                float(usual.lengths.spread[column]),
            )
            for column, model in enumerate(models)
        },
        encoder=encoder,
    )
    return FittedVerifier(verifier, platt_logits(scores, [tier_evidence[tier] for tier in tiers]))


def platt_logits(scores: Floats, tiers: Sequence[TierEvidence]) -> Floats:
    """Return calibrated log odds of scores of shape (prompts, models), a tier per model."""
    return np.column_stack(
        [tier.slope * scores[:, column] + tier.intercept for column, tier in enumerate(tiers)]
    )


def _tier_evidence(tier: str, data: Labelled, scores: Floats, tiers: Sequence[str]) -> TierEvidence:
    columns = [column for column, name in enumerate(tiers) if name == tier]
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


def _scores(verifier: Verifier, inputs: Floats) -> Floats:
    scores = np.full(inputs.shape[:2], np.nan)
    known = np.isfinite(inputs).all(axis=2)
    scores[known] = verifier.head.logits(inputs[known])
    return scores


def labelled_of(recorded: Recorded, answers: Answers, priors: Floats, usual: Usual) -> Labelled:
    """Return recorded answers as labelled ones."""
    return Labelled(
        usual.inputs(answers, priors),
        priors,
        recorded.correct[:, recorded.columns(answers.models)],
        recorded.datasets,
        fold_of(recorded.groups, FOLDS),
    )
