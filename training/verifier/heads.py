"""How are the heads of the answer verifier fitted? And what is read from their out-of-fold scores."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.answer.verifier_trees import Head, LogisticHead, TreesHead
from ...routing.prompt.linear import standardise
from ..fit.logistic import newton

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Fit = Callable[[Floats, Floats], Head]

LEAST_TREE_LABELS = 2_000
"""Labels below which the logistic regression does better than the trees."""
_RIDGE = 300.0  # pseudo-observations that pull each standardised weight to 0
_INTERCEPT_RIDGE = 1e-3  # as good as free
_PLATT_RIDGE = 2.0
_TREES, _LEAVES, _RATE = 200, 15, 0.06
_LEAF_ANSWERS = 40


def fit_logistic(inputs: Floats, right: Floats, ridge: float = _RIDGE) -> LogisticHead:
    """Fit a logistic regression on standardised inputs, all weights but the intercept pulled to 0.

    An input that never varies gets no weight. Few labels get the same pull and so weights closer to 0.
    """
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    varies = scale > 1e-9
    scale = np.where(varies, scale, 1.0)
    design = np.column_stack([standardise(inputs, mean, scale) * varies, np.ones(len(inputs))])
    weights = newton(design, right, np.append(np.full(inputs.shape[1], ridge), _INTERCEPT_RIDGE))
    return LogisticHead(mean, scale, weights[:-1] * varies, float(weights[-1]))


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
    penalty, usual = np.array([_PLATT_RIDGE, _INTERCEPT_RIDGE]), np.array([1.0, 0.0])
    slope, intercept = newton(design, right, penalty, usual).tolist()
    return max(slope, 0.05), intercept
