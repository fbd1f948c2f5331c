"""How hard are prompts, and what does capability do about it? The completion model, fitted.

    difficulty   ridge of -logit(pass rate) on [embedding | features]
    mu           sigmoids(a capability + b difficulty + c), fitted on the answers of profiled models

The published recipe fits the second line on the empirical difficulty and serves the estimate, which varies less:
its probabilities are too close to each other. Here it is fitted on out-of-fold estimates, so that fit and serving
see the same variable; the published recipe is kept beside it as `seed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.irt import CAPABILITY_BENCHMARKS, CompletionModel, FactoredForm, FormName, Profile
from ...routing.prompt.linear import LinearHead
from ...routing.prompt.logistic import sigmoids
from ...state.errors import ConfigError
from ..data.design import EmbedsMany
from ..data.metrics import auc, brier, ece
from ..data.recorded import fold_of
from .corpus import Corpus, Labels
from .logistic import newton
from .ridge import Anchors, Tried, fit_ridge_by_folds, pearson

Floats = NDArray[np.float64]

FOLDS = 5
UNFADED = Tried(shrinkages=(0.0,))
"""The form is published with estimates that do not fade on unfamiliar prompts."""
ANCHOR_SHARE = 0.04
"""Weight of the hand-written anchors, as a share of the prompts fitted on."""
_PENALTY = np.array([1.0, 1.0, 0.0])
"""Of a, b and c: a standard normal prior on both slopes, as the published recipe has."""
_LEAST_PROMPTS = 20


@dataclass(frozen=True)
class Fitted:
    """What a fit leaves."""

    head: LinearHead
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
    if anchors is not None:
        weight = max(1, round(ANCHOR_SHARE * known / len(anchors.target)))
        anchors = replace(anchors, weight=float(weight))
    head, estimates = fit_ridge_by_folds(design, target, fold_of(corpus.groups, FOLDS), UNFADED, anchors)
    forms: dict[FormName, FactoredForm] = {
        "estimated": fit_form(capability, estimates[corpus.prompt], corpus.completed),
        "seed": fit_form(capability, target[corpus.prompt], corpus.completed),
    }
    return Fitted(head, forms, target, estimates)


def fit_form(capability: Floats, difficulty: Floats, completed: Floats) -> FactoredForm:
    """Fit a, b and c by penalised maximum likelihood; arrays have shape (answers,), NaN rows are left out.

    Raises
    ------
    ValueError
        If fewer than two capabilities occur, or capability does not help or difficulty not hurt.

    Notes
    -----
    Logistic regression with penalty (a² + b²) / 2.
    """
    used = np.isfinite(capability) & np.isfinite(difficulty)
    if len(np.unique(capability[used])) < 2:
        raise ValueError(
            f"expected answers of at least 2 models of different {' and '.join(CAPABILITY_BENCHMARKS)}, got "
            f"{len(np.unique(capability[used]))}: name files that hold them in --benchmark-profiles"
        )
    inputs = np.stack([capability[used], difficulty[used], np.ones(int(used.sum()))], axis=1)
    a, b, c = newton(inputs, completed[used], _PENALTY).tolist()
    try:
        return FactoredForm(a, b, c)
    except ConfigError as error:
        raise ValueError(f"the data do not order models by their benchmarks: {error}") from error


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
