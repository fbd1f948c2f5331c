"""Learners of one arm's reward at a time, all orders of a stream in lock-step."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.drift import surprise
from ...routing.belief.likelihood import Likelihood
from ...routing.belief.thompson import Learner, draw
from ...state.records import Arm, Evidence
from ...state.types import TIERS
from .memory import Memory, arm_of

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
WATCHED_WEIGHT = 4.0
"""Pass-or-fail observations that one rubric score tells the drift detector: m (1 - m) over the variance of the scores
around their predictions, of the arm whose scores scatter most. Six raise a false alarm in one order of three."""
RIGHT: Likelihood = (1.0, 0.0)
WRONG: Likelihood = (0.0, 1.0)
"""What is seen of an answer that is surely right, or wrong."""


class Bandit(Protocol):
    """What the replay asks of a learner."""

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Return how good each arm may be on these prompts, one an order; shape (orders, arms)."""
        ...

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:
        """Take in what the chosen arms got where it was seen; return which orders were alarmed by drift."""
        ...


def score_surprise(expected: float, score: float, weight: float = WATCHED_WEIGHT) -> tuple[float, float]:
    """Return what a rubric score tells the drift detector: `weight` answers, right to the share that is the score."""
    rise, fall = surprise(expected, RIGHT)
    rise_wrong, fall_wrong = surprise(expected, WRONG)
    return (
        weight * (score * rise + (1.0 - score) * rise_wrong),
        weight * (score * fall + (1.0 - score) * fall_wrong),
    )


@dataclass
class Offset:
    """The learner that serves, its own functions on evidence kept in memory: one context cell, an org an order."""

    probs: Floats
    """Predicted rewards, shape (prompts, arms)."""
    orders: int
    learner: Learner = RUBRIC
    weight: float = RUBRIC_WEIGHT
    watches: bool = True
    """Whether a detector makes arms begin anew."""
    strengths: Floats | None = None
    """Observations each arm's prediction is worth (kappa0 and n0 alike) where the learner's do not hold, (arms,)."""
    orgs: list[Memory] = field(init=False)
    calls: int = field(init=False, default=0)
    """Calls of each org."""

    def __post_init__(self) -> None:
        """Start without evidence."""
        self._names = [f"arm {arm}" for arm in range(self.probs.shape[1])]
        tiers = [TIERS[min(arm, len(TIERS) - 1)] for arm in range(len(self._names))]
        self._tiers = dict(zip(self._names, tiers, strict=True))
        self.orgs = [Memory(self._tiers, self.learner, self.weight) for _ in range(self.orders)]
        self._arms: dict[int, list[Arm]] = {}

    def arms_of(self, row: int) -> list[Arm]:
        """Return the arms as predicted on one prompt."""
        if row not in self._arms:
            probs = self.probs[row].tolist()
            self._arms[row] = [
                arm_of(name, tier, prob)
                for (name, tier), prob in zip(self._tiers.items(), probs, strict=True)
            ]
        return self._arms[row]

    def qualities(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Draw from the posteriors."""
        drawn = [
            self._draw(self.arms_of(row), org.read(self.calls), rng)
            for org, row in zip(self.orgs, rows.tolist(), strict=True)
        ]
        return np.stack(drawn)

    def _draw(self, arms: list[Arm], evidence: dict[str, Evidence], rng: np.random.Generator) -> Floats:
        if self.strengths is None:
            drawn: Floats = draw(arms, evidence, rng, 1, self.learner)[0]
            return drawn
        own = [replace(self.learner, kappa0=strength, n0=strength) for strength in self.strengths.tolist()]
        each = [draw([arm], evidence, rng, 1, learner)[0] for arm, learner in zip(arms, own, strict=True)]
        return np.concatenate(each)

    def learn(self, rows: Ints, arms: Ints, rewards: Floats, seen: Bools) -> Bools:
        """Add what was seen; return which orders' arms began anew."""
        self.calls += 1
        alarmed = np.zeros(self.orders, dtype=np.bool_)
        for order in np.flatnonzero(seen).tolist():
            org, arm, reward = self.orgs[order], int(arms[order]), float(rewards[order])
            name, predicted = self._names[arm], float(self.probs[rows[order], arm])
            expected = org.expected(name, predicted) if self.watches else None
            nats = None if expected is None else score_surprise(expected, reward)
            alarmed[order] = org.add(name, reward, predicted, self.calls, nats)
        return alarmed


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
