"""Fitted heads of the answer verifier, as plain arrays: a logistic regression and boosted trees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...state.errors import ConfigError
from ..prompt.linear import standardise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LEAF = -1
_REFIT = "fit it again: x25 train --from-log ORG"


@dataclass(frozen=True, slots=True)
class LogisticHead:
    """A linear model of standardised inputs; arrays have shape (inputs,)."""

    mean: Floats
    scale: Floats
    coef: Floats
    intercept: float

    def logit(self, inputs: Sequence[float]) -> float:
        """Return the log odds of one answer being right."""
        return float(self.logits(np.asarray(inputs, dtype=np.float64)[None, :])[0])

    def logits(self, inputs: ArrayLike) -> Floats:
        """Return the log odds of each row, shape (rows,), from inputs of shape (rows, inputs)."""
        values = standardise(np.asarray(inputs, dtype=np.float64), self.mean, self.scale)
        log_odds: Floats = values @ self.coef + self.intercept
        return log_odds

    @property
    def inputs(self) -> int:
        """Numbers it reads."""
        return len(self.coef)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return {
            "kind": "logistic",
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "coef": self.coef.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "LogisticHead":
        """Return the head that `to_dict` wrote.

        Raises
        ------
        ConfigError
            If a parameter is missing, of another shape, or out of range.
        """
        mean, scale, coef = (_floats(parameters, key) for key in ("mean", "scale", "coef"))
        intercept = float(_floats(parameters, "intercept", dimensions=0))
        if not mean.shape == scale.shape == coef.shape or not (scale > 0.0).all():
            raise ConfigError(f"verifier artifact: mean, scale and coef do not fit each other; {_REFIT}")
        return cls(mean, scale, coef, intercept)


@dataclass(frozen=True)
class TreesHead:
    """Boosted trees; the log odds are `baseline` plus one leaf's value of each tree.

    All nodes of all trees lie one after the other, arrays have shape (nodes,). A node with feature -1 is a leaf;
    any other sends an answer `left` where its input is at most the threshold, else `right`.
    """

    roots: Ints
    """Where each tree begins, shape (trees,)."""
    feature: Ints
    value: Floats
    """A leaf's value; of any other node, the threshold."""
    left: Ints
    right: Ints
    baseline: float
    inputs: int
    """Numbers it reads."""

    @cached_property
    def _lists(self) -> tuple[list[int], list[int], list[float], list[int], list[int]]:
        """The arrays as lists: single numbers are read several times faster from them."""
        return (
            self.roots.tolist(),
            self.feature.tolist(),
            self.value.tolist(),
            self.left.tolist(),
            self.right.tolist(),
        )

    def logit(self, inputs: Sequence[float]) -> float:
        """Return the log odds of one answer being right; `inputs` is best a list."""
        roots, features, values, left, right = self._lists
        total = self.baseline
        for root in roots:
            node = root
            while (feature := features[node]) >= 0:
                node = left[node] if inputs[feature] <= values[node] else right[node]
            total += values[node]
        return total

    def logits(self, inputs: ArrayLike) -> Floats:
        """Return the log odds of each row, shape (rows,), from inputs of shape (rows, inputs)."""
        matrix = np.asarray(inputs, dtype=np.float64)
        rows = np.arange(len(matrix))
        total = np.full(len(matrix), self.baseline)
        for root in self.roots:
            node = np.full(len(matrix), root)
            while (inner := self.feature[node] >= 0).any():
                goes_left = matrix[rows, self.feature[node]] <= self.value[node]
                node = np.where(inner, np.where(goes_left, self.left[node], self.right[node]), node)
            total += self.value[node]
        return total

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return {
            "kind": "trees",
            "baseline": self.baseline,
            "inputs": self.inputs,
            **{name: getattr(self, name).tolist() for name in ("roots", "feature", "value", "left", "right")},
        }

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "TreesHead":
        """Return the head that `to_dict` wrote.

        Raises
        ------
        ConfigError
            If a parameter is missing or the nodes do not form trees: every child must lie behind its parent, so
            that each walk ends.
        """
        roots, feature, left, right = (
            _floats(parameters, key).astype(np.int64) for key in ("roots", "feature", "left", "right")
        )
        value = _floats(parameters, "value")
        baseline = float(_floats(parameters, "baseline", dimensions=0))
        inputs = int(_floats(parameters, "inputs", dimensions=0))
        if not feature.shape == value.shape == left.shape == right.shape:
            raise ConfigError(f"verifier artifact: the arrays of its trees differ in length; {_REFIT}")
        inner = np.flatnonzero(feature >= 0)
        nodes = len(feature)
        is_sound = (
            bool(((feature >= _LEAF) & (feature < inputs)).all())
            and bool(((roots >= 0) & (roots < nodes)).all())
            and all(bool(((side[inner] > inner) & (side[inner] < nodes)).all()) for side in (left, right))
        )
        if not is_sound:
            raise ConfigError(f"verifier artifact: its nodes do not form trees; {_REFIT}")
        return cls(roots, feature, value, left, right, baseline, inputs)


Head = LogisticHead | TreesHead


def head_from_dict(parameters: Mapping[str, Any]) -> Head:
    """Return the head of either kind.

    Raises
    ------
    ConfigError
        If the kind is unknown or the parameters are unsound.
    """
    kind = parameters.get("kind")
    if kind == "logistic":
        return LogisticHead.from_dict(parameters)
    if kind == "trees":
        return TreesHead.from_dict(parameters)
    raise ConfigError(f"verifier artifact: head must be 'logistic' or 'trees', got {kind!r}; {_REFIT}")


def _floats(parameters: Mapping[str, Any], key: str, *, dimensions: int = 1) -> Floats:
    try:
        array = np.asarray(parameters[key], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"verifier artifact: {key!r} is missing or holds no numbers; {_REFIT}") from error
    if array.ndim != dimensions or not np.isfinite(array).all():
        raise ConfigError(f"verifier artifact: {key!r} is of wrong shape or not finite; {_REFIT}")
    return array
