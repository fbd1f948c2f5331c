"""What is the free verifier worth inside a panel of tiers? And what it costs the processor."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from time import thread_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.answer.features import extract_answer
from ..data.metrics import auc
from ..data.recorded import Recorded, Texts, fold_of
from ..fit.ridge import pearson
from .answer_matrix import Answers
from .continuation import PRICES, PanelSignals, Point, Signals, operating_point, trade_off
from .fit import FOLDS, Answered, Labelled
from .heads import fit_trees
from .measures import auc_within, calibration_error
from .panel import PanelVerifier, panel_verifier

Floats = NDArray[np.float64]
Figures = dict[str, Any]
_TIMED_ANSWERS = 300
_TIMED_LABELS = 3_000


def panel_figures(
    train: Answered, test: Answered, models: Sequence[str], encoder: str, prices: Sequence[float] = PRICES
) -> Figures:
    """Return per tier what own and second answer tell, and what going on without a judge earns."""
    others = train.answers.models
    train, test = complete(train, models, others), complete(test, models)
    verdicts = panel_verifier(train, test, models, encoder=encoder)
    seen, asked = panel_signals(train, test, models, verdicts)
    fold = fold_of(train.recorded.groups, FOLDS)
    kinds: tuple[Signals, ...] = ("prompt", "own", "agreement")
    return {
        "models": list(models),
        "test_prompts": len(test.recorded),
        "tiers": [
            _tier_figures(tier, models, test.recorded.datasets, asked, verdicts)
            for tier in range(len(models) - 1)
        ],
        "residual_correlation": pearson(*(asked.correct[:, tier] - asked.own[:, tier] for tier in (0, 1))),
        "continuation": {
            kind: _continuation_figures(trade_off(seen, asked, fold, kind, prices)) for kind in kinds
        },
    }


def complete(part: Answered, models: Sequence[str], kept: Sequence[str] | None = None) -> Answered:
    """Return the prompts that all of the panel's models answered, and the panel's priors.

    The answers are those of the models `kept`, by default of the panel.
    """
    recorded, answers = part.recorded, part.answers
    columns = [answers.models.index(model) for model in models]
    known = answers.given[:, columns] & np.isfinite(recorded.correct[:, recorded.columns(models)])
    rows = np.flatnonzero(known.all(axis=1))
    return Answered(
        recorded.take(rows), answers.choose(kept or models).take(rows), part.priors[rows][:, columns]
    )


def panel_signals(
    train: Answered, test: Answered, models: Sequence[str], verdicts: PanelVerifier
) -> tuple[PanelSignals, PanelSignals]:
    """Return what a policy without a judge may look at, costs in the last tier's mean call on the train side."""
    unit = float(np.nanmean(train.recorded.costs_usd[:, train.recorded.columns(models)[-1]]))
    sides = []
    for part, said in ((train, verdicts.train), (test, verdicts.test)):
        columns = part.recorded.columns(models)
        costs = part.recorded.costs_usd[:, columns]
        mean_costs = np.broadcast_to(np.nanmean(costs, axis=0), costs.shape)
        costs = np.where(np.isfinite(costs), costs, mean_costs) / unit
        correct = part.recorded.correct[:, columns]
        sides.append(PanelSignals(part.priors, said.q, said.pair_q, said.same, correct, costs))
    return sides[0], sides[1]


def _tier_figures(
    tier: int, models: Sequence[str], datasets: Texts, asked: PanelSignals, verdicts: PanelVerifier
) -> Figures:
    """Return one tier's AUCs; the second answer is that of the other cheap tier."""
    other = 1 if tier == 0 else tier - 1
    right = asked.correct[:, tier]
    known = verdicts.verifier.tiers[models[tier]]

    def both(scores: Floats) -> Figures:
        return {"auc": auc(scores, right), "auc_in": auc_within(scores, right, datasets)}

    return {
        "model": models[tier],
        "prior": both(asked.priors[:, tier]),
        "own": both(asked.own[:, tier]),
        "ece": calibration_error(asked.own[:, tier], right),
        "evidence_auc": known.fitted.auc,
        "audit_auc": known.audit_auc,
        "is_trusted": known.is_trusted,
        "with_second": {
            "model": models[other],
            "share_agreeing": float((asked.same[:, tier, other] > 0.5).mean()),
            "agreement": both(asked.same[:, tier, other]),
            "pair": both(asked.pair[:, tier, other]),
            "price": float(asked.costs[:, other].mean()),
        },
    }


def _continuation_figures(points: Sequence[Point]) -> Figures:
    """Return the points frozen on train, and the largest saving along the test curve (hindsight)."""
    match = {f"match_{margin}": operating_point(points, margin) for margin in (0, 1)}
    equal = [point.cut for point in points if point.gain >= 0.0]
    return {
        **{name: None if point is None else asdict(point) for name, point in match.items()},
        "test_curve_cut_at_equal_score": max(equal, default=None),
        "curve": [asdict(point) for point in points],
    }


def cpu_figures(recorded: Recorded, answers: Answers, labelled: Labelled) -> Figures:
    """Return milliseconds of processor time per answer for features and trees, on this machine."""
    given = np.argwhere(answers.given)
    chosen = given[np.random.default_rng(0).permutation(len(given))[:_TIMED_ANSWERS]]
    known = np.argwhere(labelled.known)[:_TIMED_LABELS]
    inputs, right = labelled.inputs[tuple(known.T)], labelled.correct[tuple(known.T)]
    trees = fit_trees(inputs, right)
    rows = [inputs[row % len(inputs)].tolist() for row in range(len(chosen))]
    trees.logit(rows[0])
    asked = [(recorded.prompts[row], answers.texts[row][column] or "") for row, column in chosen]
    features_ms = [
        _timed_ms(partial(extract_answer, prompt, text, "stop", {}, 6.0, 1.0)) for prompt, text in asked
    ]
    trees_ms = [_timed_ms(partial(trees.logit, row)) for row in rows]
    return {
        f"{name}_p{quantile}": float(np.percentile(times, quantile))
        for name, times in (("features", features_ms), ("trees", trees_ms))
        for quantile in (50, 95)
    } | {"tree_nodes": len(trees.feature)}


def _timed_ms(work: Callable[[], object]) -> float:
    start_s = thread_time()
    work()
    return 1_000.0 * (thread_time() - start_s)
