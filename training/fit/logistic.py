"""How is a logistic regression fitted? Newton's method with a penalty that pulls towards what is usual."""

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids

Floats = NDArray[np.float64]

_STEPS = 50
_SMALL = 1e-9


def newton(design: Floats, label: Floats, penalty: Floats, usual: Floats | None = None) -> Floats:
    """Return the weights of least penalised log loss, shape (inputs,).

    Parameters
    ----------
    design
        Shape (rows, inputs), with a column of ones where there is an intercept.
    label
        In [0, 1], soft or hard, shape (rows,).
    penalty
        Of each input, shape (inputs,): half of it times the squared distance from `usual` is added to the summed loss.
    usual
        Weights without any evidence, shape (inputs,); None = 0.
    """
    centre = np.zeros(design.shape[1]) if usual is None else usual
    weights = centre.copy()

    def loss(at: Floats) -> float:
        z = design @ at
        return float((np.logaddexp(0.0, z) - label * z).sum() + 0.5 * penalty @ (at - centre) ** 2)

    best = loss(weights)
    for _ in range(_STEPS):
        p = sigmoids(design @ weights)
        gradient = design.T @ (p - label) + penalty * (weights - centre)
        curvature = (design * (p * (1.0 - p))[:, None]).T @ design + np.diag(np.maximum(penalty, _SMALL))
        step = np.linalg.solve(curvature, gradient)
        while (reached := loss(weights - step)) > best and np.abs(step).max() > _SMALL:
            step *= 0.5  # far from the optimum the curvature misleads
        if reached > best:
            break
        weights, best = weights - step, reached
        if np.abs(step).max() < _SMALL:
            break
    return weights
