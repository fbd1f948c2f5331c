"""Fitting the heads of the answer verifier, and what is read from their out-of-fold scores."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...routing.answer.verifier_trees import Head, LogisticHead, TreesHead
from ...routing.prompt.linear import standardise
from ...routing.prompt.logistic import sigmoids

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Fit = Callable[[Floats, Floats], Head]

LEAST_TREE_LABELS = 2_000
"""Labels below which the logistic regression does better than the trees."""
_RIDGE = 300.0  # pseudo-observations that pull each standardised weight to 0
_PLATT_RIDGE = 2.0
_TREES, _LEAVES, _RATE = 200, 15, 0.06
_LEAF_ANSWERS = 40


def fit_logistic(inputs: Floats, right: Floats, ridge: float = _RIDGE) -> LogisticHead:
    """Fit a logistic regression on standardised inputs, all weights but the intercept pulled to 0.

    The log loss is minimised by Newton's steps; an input that never varies gets no weight. Few labels get
    the same pull and so weights closer to 0.
    """
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    varies = scale > 1e-9
    scale = np.where(varies, scale, 1.0)
    design = np.column_stack([standardise(inputs, mean, scale) * varies, np.ones(len(inputs))])
    weights = newton(design, right, np.full(design.shape[1] - 1, ridge))
    return LogisticHead(mean, scale, weights[:-1] * varies, float(weights[-1]))


def newton(design: Floats, right: Floats, ridge: Floats, start: Floats | None = None) -> Floats:
    """Return the weights of least penalised log loss; the last column of `design` is free of penalty.

    `ridge` are the penalties of the other columns, which pull towards `start` (0 by default).
    """
    centre = np.zeros(design.shape[1]) if start is None else start
    penalty = np.append(ridge, 1e-3)
    weights = centre.copy()

    def loss(at: Floats) -> float:
        z = design @ at
        return float((np.logaddexp(0.0, z) - right * z).sum() + 0.5 * penalty @ (at - centre) ** 2)

    best = loss(weights)
    for _ in range(30):
        p = sigmoids(design @ weights)
        gradient = design.T @ (p - right) + penalty * (weights - centre)
        curvature = (design * (p * (1.0 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        while (reached := loss(weights - step)) > best and np.abs(step).max() > 1e-9:
            step *= 0.5  # far from the optimum the curvature misleads
        if reached > best:
            break
        weights, best = weights - step, reached
        if np.abs(step).max() < 1e-7:
            break
    return weights


def fit_trees(inputs: Floats, right: Floats, seed: int = 0) -> TreesHead:
    """Fit boosted trees and return them as arrays.

    Raises
    ------
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    # By name: both come with the `train` extra and ship no types.
    ensemble: Any = import_module("sklearn.ensemble")
    threads: Any = import_module("threadpoolctl")
    model = ensemble.HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        learning_rate=_RATE,
        min_samples_leaf=_LEAF_ANSWERS,
        l2_regularization=1.0,
        max_features=0.5,
        early_stopping=False,
        random_state=seed,
    )
    # One thread: where cores are shared, the library's threads wait for each other ten times longer than they work.
    with threads.threadpool_limits(1):
        model.fit(inputs, right > 0.5)
    return export_trees(model, inputs.shape[1])


def export_trees(model: Any, inputs: int) -> TreesHead:
    """Return a fitted HistGradientBoostingClassifier of two classes as arrays."""
    trees = [stage[0].nodes for stage in model._predictors]  # noqa: SLF001 - the library exports them no other way
    sizes = [len(nodes) for nodes in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    nodes = np.concatenate(trees)
    offset = np.repeat(roots, sizes)
    is_leaf = nodes["is_leaf"].astype(np.bool_)
    return TreesHead(
        roots=roots,
        feature=np.where(is_leaf, -1, nodes["feature_idx"].astype(np.int64)),
        value=np.where(is_leaf, nodes["value"], nodes["num_threshold"]).astype(np.float64),
        left=np.where(is_leaf, 0, nodes["left"].astype(np.int64) + offset),
        right=np.where(is_leaf, 0, nodes["right"].astype(np.int64) + offset),
        baseline=float(np.ravel(model._baseline_prediction)[0]),  # noqa: SLF001
        inputs=inputs,
    )


def fit_head(inputs: Floats, right: Floats) -> Head:
    """Fit the head that suits the number of labels."""
    return fit_trees(inputs, right) if len(right) >= LEAST_TREE_LABELS else fit_logistic(inputs, right)


def scores_out_of_fold(inputs: Floats, right: Floats, fold: Ints, fit: Fit = fit_head) -> Floats:
    """Return each row's log odds by a head that has not seen its fold, shape (rows,)."""
    scores = np.empty(len(right))
    for one in np.unique(fold):
        away = fold == one
        scores[away] = fit(inputs[~away], right[~away]).logits(inputs[away])
    return scores


def fit_platt(scores: Floats, right: Floats) -> tuple[float, float]:
    """Return slope and intercept that turn out-of-fold scores into log odds, drawn a little to (1, 0)."""
    design = np.column_stack([scores, np.ones(len(scores))])
    slope, intercept = newton(design, right, np.array([_PLATT_RIDGE]), start=np.array([1.0, 0.0]))
    return max(float(cast("float", slope)), 0.05), float(intercept)
