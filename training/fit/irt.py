"""Fit the completion model: how hard prompts are, and what capability does about it.

    difficulty   ridge of -logit(pass rate) on [embedding | features]
    mu           sigmoids(a capability + b difficulty + c), fitted on the answers of profiled models

The published recipe fits the second line on the empirical difficulty and serves the estimate, which varies less:
its probabilities are too close to each other. Here it is fitted on out-of-fold estimates, so that fit and serving
see the same variable; the published recipe is kept beside it as `seed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.irt import CAPABILITY_BENCHMARKS, CompletionModel, FactoredForm, FormName, Profile
from ...routing.prompt.logistic import sigmoids
from ...state.errors import ConfigError
from ..data.design import EmbedsMany
from ..data.metrics import auc, brier, ece
from ..data.recorded import fold_of
from .corpus import Corpus, Labels
from .heads import RIDGE_ALPHAS, pearson
from .ridge import Ridge, fit_plain_ridge

Floats = NDArray[np.float64]

FOLDS = 5
ANCHOR_SHARE = 0.04
"""Weight of the hand-written anchors, as a share of the prompts fitted on."""
_PENALTY = np.array([1.0, 1.0, 0.0])
"""Of a, b and c: a standard normal prior on both slopes, as the published recipe has."""
_LEAST_PROMPTS = 20


@dataclass(frozen=True)
class Anchors:
    """Prompts whose difficulty is known without asking anybody: benchmarks hold neither small talk nor proofs."""

    design: Floats
    """Shape (anchors, inputs)."""
    target: Floats
    """Shape (anchors,)."""

    def repeated(self, prompts: int) -> tuple[Floats, Floats]:
        """Return the anchors as often as gives them their share beside so many prompts, at least once."""
        times = max(1, round(ANCHOR_SHARE * prompts / len(self.target)))
        return np.repeat(self.design, times, axis=0), np.repeat(self.target, times)


@dataclass(frozen=True)
class Fitted:
    """What a fit leaves."""

    head: Ridge
    forms: dict[FormName, FactoredForm]
    target: Floats
    """Empirical difficulty of each prompt, NaN = not known; shape (prompts,)."""
    out_of_fold: Floats
    """Estimated by heads that had not seen the prompt's fold, shape (prompts,)."""


def fit(
    corpus: Corpus, design: Floats, capability: Floats, labels: Labels, anchors: Anchors | None = None
) -> Fitted:
    """Fit the difficulty head on all subjects and both forms on the answers whose model's capability is known.

    Parameters: `design` has shape (prompts, inputs), `capability` shape (answers,), NaN = not known.

    Raises
    ------
    ValueError
        If too few prompts have a pass rate, too few models a capability, or the data contradict the form.
    """
    target = corpus.difficulty_targets(labels)
    known = int(np.isfinite(target).sum())
    if known < _LEAST_PROMPTS:
        raise ValueError(
            f"expected at least {_LEAST_PROMPTS} prompts answered by {labels.least_models} models or more, "
            f"got {known}"
        )
    head, estimates = fit_head(design, target, fold_of(corpus.groups, FOLDS), anchors)
    forms: dict[FormName, FactoredForm] = {
        "estimated": fit_form(capability, estimates[corpus.prompt], corpus.completed),
        "seed": fit_form(capability, target[corpus.prompt], corpus.completed),
    }
    return Fitted(head, forms, target, estimates)


def fit_head(
    design: Floats, target: Floats, fold: NDArray[np.int64], anchors: Anchors | None = None
) -> tuple[Ridge, Floats]:
    """Return the ridge of the penalty that predicts other folds best, and every prompt's out-of-fold estimate.

    Parameters: shapes are (prompts, inputs), (prompts,) with NaN = not known, and (prompts,). Anchors are fitted
    on in every fold and judged in none.
    """
    known = np.isfinite(target)
    more = (design[:0], target[:0]) if anchors is None else anchors.repeated(int(known.sum()))

    def fitted_on(rows: NDArray[np.bool_], alpha: float) -> Ridge:
        return fit_plain_ridge(
            np.vstack([design[rows], more[0]]), np.concatenate([target[rows], more[1]]), alpha
        )

    best: tuple[float, float, Floats] | None = None
    for alpha in RIDGE_ALPHAS:
        estimates = np.empty(len(target))
        for one in np.unique(fold):
            away = fold == one
            estimates[away] = fitted_on(known & ~away, alpha).predict(design[away])
        score = pearson(estimates[known], target[known])
        if best is None or score > best[0]:
            best = (score, alpha, estimates)
    assert best is not None
    return fitted_on(known, best[1]), best[2]


def fit_form(capability: Floats, difficulty: Floats, completed: Floats) -> FactoredForm:
    """Fit a, b and c by penalised maximum likelihood; arrays have shape (answers,), NaN rows are left out.

    Raises
    ------
    ValueError
        If fewer than two capabilities occur, or capability does not help or difficulty not hurt.

    Notes
    -----
    Logistic regression with penalty (a² + b²) / 2, by Newton's method.
    """
    used = np.isfinite(capability) & np.isfinite(difficulty)
    if len(np.unique(capability[used])) < 2:
        raise ValueError(
            f"expected answers of at least 2 models of different {' and '.join(CAPABILITY_BENCHMARKS)}, got "
            f"{len(np.unique(capability[used]))}: name files that hold them in --benchmark-profiles"
        )
    inputs = np.stack([capability[used], difficulty[used], np.ones(int(used.sum()))], axis=1)
    a, b, c = (float(weight) for weight in _newton(inputs, completed[used]))
    try:
        return FactoredForm(a, b, c)
    except ConfigError as error:
        raise ValueError(f"the data do not order models by their benchmarks: {error}") from error


def _newton(inputs: Floats, completed: Floats) -> Floats:
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        p = sigmoids(inputs @ weights)
        gradient = inputs.T @ (p - completed) + _PENALTY * weights
        curvature = (inputs * (p * (1.0 - p))[:, None]).T @ inputs + np.diag(_PENALTY + 1e-9)
        step = np.clip(np.linalg.solve(curvature, gradient), -2.0, 2.0)
        weights = weights - step
        if np.abs(step).max() < 1e-10:
            break
    return weights


def model_of(
    fitted: Fitted,
    encoder: EmbedsMany,
    profiles: Mapping[str, Profile],
    manifest: Mapping[str, Any] | None = None,
) -> CompletionModel:
    """Return the fitted parameters as what serving loads."""
    head = fitted.head
    return CompletionModel(
        mean=head.mean,
        scale=head.scale,
        coef=head.coef,
        intercept=head.intercept,
        low=head.low,
        high=head.high,
        forms=fitted.forms,
        encoder_fingerprint=encoder.fingerprint,
        encoder_dimension=encoder.dimension,
        profiles=dict(profiles),
        manifest=dict(manifest or {}),
    )


def measure(
    fitted: Fitted, corpus: Corpus, design: Floats, capability: Floats, labels: Labels
) -> dict[str, Any]:
    """Return how well prompts and answers that were not fitted on are predicted.

    Keys: `pearson` of estimated and empirical difficulty by source and over `all`; `prompts` behind each; for
    each form `auc`, `brier` and `ece` over the answers of models of known capability, and how many `answers` those are.
    """
    target = corpus.difficulty_targets(labels)
    estimate = fitted.head.predict(design)
    known = np.isfinite(target)
    parts = {"all": known} | {
        str(source): known & (corpus.sources == source) for source in np.unique(corpus.sources[known])
    }
    used = np.isfinite(capability)
    report: dict[str, Any] = {
        "prompts": {name: int(part.sum()) for name, part in parts.items()},
        "pearson": {name: round(pearson(estimate[part], target[part]), 4) for name, part in parts.items()},
        "answers": int(used.sum()),
    }
    for name in get_args(FormName) if used.any() else ():
        form = fitted.forms[name]
        mu = form_mu(form, capability[used], estimate[corpus.prompt[used]])
        report[name] = scores_of(mu, corpus.completed[used])
    return report


def form_mu(form: FactoredForm, capability: Floats, difficulty: Floats) -> Floats:
    """Return the probability of completion of each answer; all shapes are (answers,)."""
    return sigmoids(form.a * capability + form.b * difficulty + form.c)


def scores_of(mu: Floats, completed: Floats) -> dict[str, float]:
    """Return AUC, Brier score and expected calibration error, rounded."""
    measured = {"auc": auc(mu, completed), "brier": brier(mu, completed), "ece": ece(mu, completed)}
    return {name: round(value, 4) for name, value in measured.items()}
