"""LinUCB, for reference: a linear model of the prompt for each arm, and the upper end of what it may be.

Source: Li et al., arXiv:1003.0146 (2010), algorithm 1 (disjoint); warm counts as in ParetoBandit.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .learners import Bools, Ints
from .streams import Side

Floats = NDArray[np.float64]

WARM_OBSERVATIONS = 1_164.0
"""What the warm side's sums are scaled to."""


@dataclass(frozen=True)
class Prior:
    """Sums before the first step, one a fold or one for all; shapes (folds, arms, d, d) and (folds, arms, d)."""

    gram: Floats
    moment: Floats


def cold_prior(arms: int, dimension: int, ridge: float = 1.0) -> Prior:
    """Return the ridge alone."""
    gram = np.broadcast_to(ridge * np.eye(dimension), (1, arms, dimension, dimension))
    return Prior(gram, np.zeros((1, arms, dimension)))


def warm_prior(stream: Side, warm: Side, ridge: float = 1.0) -> Prior:
    """Return sums over the warm side; where it is the stream itself, over the prompts of the other folds."""
    grams, moments = [], []
    for fold in range(int(stream.folds.max()) + 1):
        kept = warm.folds != fold if warm is stream else np.ones(len(warm), dtype=np.bool_)
        inputs, rewards = warm.contexts[kept], warm.rewards[kept]
        scale = WARM_OBSERVATIONS / len(inputs)
        gram = scale * inputs.T @ inputs + ridge * np.eye(inputs.shape[1])
        grams.append(np.broadcast_to(gram, (rewards.shape[1], *gram.shape)))
        moments.append(scale * (inputs.T @ rewards).T)
    return Prior(np.stack(grams), np.stack(moments))


@dataclass
class LinUCB:
    """Disjoint LinUCB without forgetting; each order keeps its own sums."""

    side: Side
    orders: int
    prior: Prior
    width: float
    """Standard errors added to the estimate."""
    gram: Floats = field(init=False)
    moment: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Start at the prior."""
        _, arms, dimension = self.prior.moment.shape
        self.gram = np.zeros((self.orders, arms, dimension, dimension))
        self.moment = np.zeros((self.orders, arms, dimension))

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Return estimate plus width, ties broken by chance."""
        fold = self.side.folds[rows] % len(self.prior.gram)
        inputs = self.side.contexts[rows][:, None, :, None]
        gram = self.prior.gram[fold] + self.gram
        moment = self.prior.moment[fold] + self.moment
        solved = np.linalg.solve(gram, np.broadcast_to(inputs, (*moment.shape, 1)))[..., 0]
        spread = np.sqrt((solved * inputs[..., 0]).sum(axis=-1))
        bound: Floats = (solved * moment).sum(axis=-1) + self.width * spread
        return bound + 1e-9 * rng.random(bound.shape)

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:
        """Add what was seen."""
        index = np.flatnonzero(seen)
        inputs = self.side.contexts[rows[index]]
        self.gram[index, arms[index]] += inputs[:, :, None] * inputs[:, None, :]
        self.moment[index, arms[index]] += inputs * rewards[index, None]
        return np.zeros(self.orders, dtype=np.bool_)
