"""Learners of one arm's reward at a time, all orders of a stream in lock-step."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.thompson import Learner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RUBRIC = Learner(kappa0=10_000.0, n0=3_000.0, kappa_max=20_000.0, gamma=0.997, remembered=10_000.0)
"""For rubric scores, whose spread around a fitted prediction is small. What is remembered must exceed n0, or the
prediction itself is forgotten with the first evidence: 100 costs 3 of 51 regret."""
COLD = Learner(kappa0=100.0, n0=30.0, kappa_max=20_000.0, gamma=0.997, remembered=600.0)
"""For rubric scores where nothing was fitted."""
RUBRIC_WEIGHT = 6.0
"""Pass-or-fail observations that one rubric score is worth."""


_LEAST_PAST = 1e-9


class Bandit(Protocol):
    """What the replay asks of a learner."""

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Return how good each arm may be on these prompts, one an order; shape (orders, arms)."""
        ...

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:
        """Take in what the chosen arms got where it was seen; return which orders were alarmed by drift."""
        ...


def _logit(p: Floats) -> Floats:
    clipped = np.clip(p, 0.02, 0.98)
    return np.log(clipped / (1.0 - clipped))


def offset_beliefs(
    p: Floats, sums: tuple[Floats, Floats, Floats], learner: Learner, n0: Floats | float | None = None
) -> tuple[Floats, Floats]:
    """Return means and concentrations as `routing.belief.thompson.offset_posterior` does, for arrays of any one shape.

    `sums` are R, Q, n; `n0` replaces the learner's own where a drift alarm lowered it.
    """
    reward, predicted, weight = sums
    prior = learner.n0 if n0 is None else n0
    total = weight + prior
    delta = _logit((reward + prior * p) / total) - _logit((predicted + prior * p) / total)
    mean = 0.5 * (1.0 + np.tanh(0.5 * (_logit(p) + delta)))
    return mean, np.minimum(learner.kappa0 + weight, learner.kappa_max)


@dataclass
class Offset:
    """The learner that serves: an offset on the prompt's prediction, discounted and long-run sums, a detector.

    One context cell, read as `routing.belief.thompson.combine` and `offset_posterior` read it.
    """

    probs: Floats
    """Predicted rewards, shape (prompts, arms)."""
    orders: int
    learner: Learner = RUBRIC
    weight: float = RUBRIC_WEIGHT
    detector: "Detector | None" = None
    strengths: Floats | None = None
    """Observations each arm's prediction is worth (kappa0 and n0 alike) where the learner's do not hold, (arms,)."""
    fades: bool = False
    """Whether evidence is discounted up to the step it is read at, not only up to the arm's last observation, and
    an alarm leaves nothing for the long run: an arm that lost its calls to a drift is then tried again some day."""
    recent: Floats = field(init=False)
    """Discounted R, Q, n at each arm's last observation, shape (3, orders, arms)."""
    total: Floats = field(init=False)
    n0: Floats = field(init=False)
    last: Ints = field(init=False)
    """Step of each arm's last observation."""
    step: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Start without evidence."""
        shape = (self.orders, self.probs.shape[1])
        self.recent, self.total = np.zeros((2, 3, *shape))
        usual = self.learner.n0 if self.strengths is None else self.strengths
        self._usual_n0 = np.broadcast_to(np.asarray(usual, dtype=np.float64), shape)
        self.n0 = self._usual_n0.copy()
        self.last = np.zeros(shape, dtype=np.int64)
        if self.detector is not None:
            self.detector.start(shape)

    def beliefs(self, rows: Ints) -> tuple[Floats, Floats]:
        """Return mean and concentration of the belief about each arm, shape (orders, arms)."""
        recent, n0 = self.recent, self.n0
        if self.fades:
            kept = self.learner.gamma ** (self.step - self.last)
            recent, n0 = recent * kept, self._usual_n0 - (self._usual_n0 - n0) * kept
        past = np.where(self.total[2] - recent[2] > _LEAST_PAST, self.total - recent, 0.0)
        share = np.minimum(1.0, self.learner.remembered / (n0 + past[2]))
        share = np.where(past[2] > 0.0, share, 1.0)
        sums = recent + share * past
        mean, kappa = offset_beliefs(self.probs[rows], (sums[0], sums[1], sums[2]), self.learner, n0 * share)
        return mean, kappa if self.strengths is None else self.strengths + kappa - self.learner.kappa0

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Draw from the posteriors."""
        mean, kappa = self.beliefs(rows)
        return rng.beta(kappa * mean, kappa * (1.0 - mean))

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:
        """Discount, add; where the detector is alarmed, forget all but the last steps."""
        self.step += 1
        alarmed = np.zeros(self.orders, dtype=np.bool_)
        index = np.flatnonzero(seen)
        cell = (index, arms[index])
        expected = self.beliefs(rows)[0][cell]
        kept = self.learner.gamma ** (self.step - self.last[cell])
        p, reward = self.probs[rows[index], arms[index]], rewards[index]
        observed = self.weight * np.stack([reward, p, np.ones_like(p)])
        self.recent[:, cell[0], cell[1]] = self.recent[:, cell[0], cell[1]] * kept + observed
        self.total[:, cell[0], cell[1]] += observed
        self.n0[cell] = self._usual_n0[cell] - (self._usual_n0[cell] - self.n0[cell]) * kept
        self.last[cell] = self.step
        if self.detector is not None:
            alarm, anew = self.detector.update(cell, reward - expected, observed)
            self._begin_anew((cell[0][alarm], cell[1][alarm]), anew[:, alarm])
            alarmed[index[alarm]] = True
        return alarmed

    def _begin_anew(self, cell: tuple[Ints, Ints], sums: Floats) -> None:
        self.recent[:, cell[0], cell[1]] = sums
        self.total[:, cell[0], cell[1]] = 0.0 if self.fades else sums
        self.n0[cell] = self.learner.drifted_n0


@dataclass
class Detector:
    """Alarm when an arm's recent surprises are more than chance: e = .93 e + (reward - mean), |e| > z sd sqrt(S)."""

    z: float = 4.0
    sd: float = 0.15
    """Usual spread of a reward around its prediction."""
    keep: float = 0.93
    least: int = 7
    trust: float = 3.0
    """What the recent sums are multiplied with when all before them is forgotten."""
    surprise: Floats = field(init=False)
    recent: Floats = field(init=False)

    def start(self, shape: tuple[int, int]) -> None:
        """Begin without surprises."""
        self.surprise = np.zeros((3, *shape))  # e, sum of squared weights, observations since the last alarm
        self.recent = np.zeros((3, *shape))

    def update(self, cell: tuple[Ints, Ints], gaps: Floats, observed: Floats) -> tuple[Bools, Floats]:
        """Return which of these cells are alarmed, and the sums R, Q, n to begin anew with."""
        e, squares, count = self.surprise[:, cell[0], cell[1]]
        e, squares, count = self.keep * e + gaps, self.keep**2 * squares + 1.0, count + 1.0
        recent = self.keep * self.recent[:, cell[0], cell[1]] + observed
        alarm: Bools = (np.abs(e) > self.z * self.sd * np.sqrt(squares)) & (count >= self.least)
        after = np.stack([e, squares, count]) * ~alarm
        self.surprise[:, cell[0], cell[1]] = after
        self.recent[:, cell[0], cell[1]] = recent
        return alarm, self.trust * recent


@dataclass
class Classic:
    """Thompson sampling on one Beta an arm: a reward r adds r to alpha and 1 - r to beta."""

    arms: int
    orders: int
    weight: float = 1.0
    counts: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Start at Beta(1, 1)."""
        self.counts = np.ones((2, self.orders, self.arms))

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - knows no prompts
        """Draw from the posteriors."""
        drawn: Floats = rng.beta(self.counts[0], self.counts[1])
        return drawn

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:  # noqa: ARG002 - as above
        """Count."""
        index = np.flatnonzero(seen)
        added = self.weight * np.stack([rewards[index], 1.0 - rewards[index]])
        self.counts[:, index, arms[index]] += added
        return np.zeros(self.orders, dtype=np.bool_)


@dataclass
class Greedy:
    """Believe the prediction, learn nothing."""

    probs: Floats

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Return the predictions."""
        predicted: Floats = self.probs[rows]
        return predicted

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:  # noqa: ARG002 - as above
        """Learn nothing."""
        return np.zeros(len(rows), dtype=np.bool_)


@dataclass
class Chance:
    """Any arm alike."""

    arms: int

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Draw evenly."""
        return rng.random((len(rows), self.arms))

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:  # noqa: ARG002 - as above
        """Learn nothing."""
        return np.zeros(len(rows), dtype=np.bool_)
