"""Is it worth going on without any judge? The value of each next step, learned from recorded outcomes.

The table plan treats tiers as independent; here the value of asking tier k while S is held is a regression of what
asking k would have earned on what is known at S. Fitted backwards, from the last tier down (fitted Q iteration):

    V(S) = max( right(best of S),  max over k above S of  V(S + k) - price cost_k )
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...state.savings import saved_share
from .fit import log_odds

Floats = NDArray[np.float64]
Signals = Literal["prompt", "own", "agreement"]
Held = tuple[int, ...]
PRICES = tuple(np.geomspace(0.004, 0.4, 32).tolist())
"""Quality points paid for one mean call of the last tier."""
_RIDGE = 100.0
_STOP = -1


@dataclass(frozen=True)
class PanelSignals:
    """What is known of a panel's answers on one side. Arrays of shape (prompts, tiers) unless said."""

    priors: Floats
    own: Floats
    """P(right) of each answer from its text."""
    pair: Floats
    """[i, own, other] = P(own right), both held; shape (prompts, tiers, tiers)."""
    same: Floats
    """[i, own, other] = 1 where both say the same; same shape."""
    correct: Floats
    costs: Floats
    """Of each call, in mean calls of the last tier."""

    def known(self, held: Held, signals: Signals) -> Floats:
        """Return what a decision may look at while `held` is held, shape (prompts, inputs).

        Priors and beliefs as probabilities, in which worth is close to linear, and as log odds; then the belief
        in the best answer held, and its product with the last tier's prior.
        """
        columns = [self.priors, log_odds(self.priors)]
        if signals != "prompt" and held:
            columns += [self.own[:, held], log_odds(self.own[:, held])]
            if signals == "agreement":
                for own, other in combinations(held, 2):
                    columns += [self.pair[:, [own], other], self.pair[:, [other], own]]
                    columns.append(self.same[:, [own], other])
            best = self.beliefs(held, signals).max(axis=1, keepdims=True)
            columns += [best, best * best, best * self.priors[:, [-1]]]
        return np.hstack(columns)

    def beliefs(self, held: Held, signals: Signals) -> Floats:
        """Return P(right) of each answer held, shape (prompts, answers held)."""
        if signals == "prompt":
            return self.priors[:, held]
        if signals == "own" or len(held) < 2:
            return self.own[:, held]
        others = [[other for other in held if other != own] for own in held]
        return np.column_stack(
            [self.pair[:, own, rest].mean(axis=1) for own, rest in zip(held, others, strict=True)]
        )

    def best(self, held: Held, signals: Signals) -> NDArray[np.int64]:
        """Return which of the answers held is handed out, shape (prompts,)."""
        chosen: NDArray[np.int64] = np.asarray(held, dtype=np.int64)[
            self.beliefs(held, signals).argmax(axis=1)
        ]
        return chosen

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "PanelSignals":
        """Return these prompts."""
        arrays = (self.priors, self.own, self.pair, self.same, self.correct, self.costs)
        return PanelSignals(*(array[rows] for array in arrays))


@dataclass(frozen=True, slots=True)
class Worth:
    """A ridge regression of what an action earns, on standardised inputs within ±3."""

    mean: Floats
    scale: Floats
    weights: Floats

    @classmethod
    def fit(cls, inputs: Floats, target: Floats) -> "Worth":
        """Fit by least squares, all but the mean pulled to 0."""
        mean: Floats = inputs.mean(axis=0)
        scale: Floats = np.maximum(inputs.std(axis=0), 1e-6).astype(np.float64)
        design = _design((inputs - mean) / scale)
        penalty = np.full(design.shape[1], _RIDGE)
        penalty[0] = 1e-6
        gram = design.T @ design + np.diag(penalty)
        weights: Floats = np.asarray(np.linalg.solve(gram, design.T @ target), dtype=np.float64)
        return cls(mean, scale, weights)

    def predict(self, inputs: Floats) -> Floats:
        """Return the estimates, shape (rows,)."""
        estimates: Floats = _design((inputs - self.mean) / self.scale) @ self.weights
        return estimates


def _design(inputs: Floats) -> Floats:
    return np.column_stack([np.ones(len(inputs)), inputs.clip(-3.0, 3.0)])


@dataclass(frozen=True)
class Outcome:
    """What a policy got, per prompt."""

    score: Floats
    cost: Floats
    calls: NDArray[np.int64]


@dataclass(frozen=True)
class Continuation:
    """Per set of answers held, the learned worth of each action: stop (-1) or ask a tier."""

    worth: Mapping[Held, Mapping[int, Worth]]
    signals: Signals

    def run(self, panel: PanelSignals) -> Outcome:
        """Return what the policy gets on these prompts."""
        size = len(panel.correct)
        score, cost, calls = np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int64)
        where: dict[Held, NDArray[np.int64]] = {(): np.arange(size)}
        for held in sorted(self.worth, key=lambda one: (len(one), one)):
            rows = where.pop(held, np.empty(0, dtype=np.int64))
            if not len(rows):
                continue
            side = panel.take(rows)
            action = self.choose(held, side.known(held, self.signals))
            stops = action == _STOP
            if held:
                best = side.best(held, self.signals)
                score[rows[stops]] = side.correct[stops, best[stops]]
            for tier in np.unique(action[~stops]).tolist():
                going = rows[action == tier]
                cost[going] += panel.costs[going, tier]
                calls[going] += 1
                reached = (*held, tier)
                where[reached] = np.concatenate([where.get(reached, np.empty(0, dtype=np.int64)), going])
        return Outcome(score, cost, calls)

    def choose(self, held: Held, known: Floats) -> NDArray[np.int64]:
        """Return the action of the highest worth, shape (rows,)."""
        actions = self.worth[held]
        worth = np.column_stack([model.predict(known) for model in actions.values()])
        chosen: NDArray[np.int64] = np.asarray(list(actions), dtype=np.int64)[worth.argmax(axis=1)]
        return chosen


def fit_continuation(
    train: PanelSignals, fold: NDArray[np.int64], price: float, signals: Signals
) -> tuple[Continuation, Outcome]:
    """Return the policy fitted on all prompts, and what policies that had not seen a prompt's fold got on it."""
    size = len(fold)
    outcomes = Outcome(np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int64))
    for one in np.unique(fold):
        away = fold == one
        got = _fit(train.take(~away), price, signals).run(train.take(away))
        outcomes.score[away], outcomes.cost[away], outcomes.calls[away] = got.score, got.cost, got.calls
    return _fit(train, price, signals), outcomes


def _fit(train: PanelSignals, price: float, signals: Signals) -> Continuation:
    tiers = train.correct.shape[1]
    sets = [held for size in range(tiers, -1, -1) for held in combinations(range(tiers), size)]
    worth: dict[Held, dict[int, Worth]] = {}
    earned: dict[Held, Floats] = {}
    rows = np.arange(len(train.correct))
    for held in sets:
        known = train.known(held, signals)
        last = held[-1] if held else -1
        gains = {tier: earned[*held, tier] - price * train.costs[:, tier] for tier in range(last + 1, tiers)}
        if held:
            gains[_STOP] = train.correct[rows, train.best(held, signals)]
        worth[held] = {action: Worth.fit(known, gain) for action, gain in gains.items()}
        action = Continuation(worth, signals).choose(held, known)
        earned[held] = np.choose(
            np.searchsorted(sorted(gains), action), [gains[one] for one in sorted(gains)]
        )
    return Continuation(worth, signals)


@dataclass(frozen=True, slots=True)
class Point:
    """One price's policy on both sides, against always asking the last tier."""

    paid: float
    """Quality points paid for one mean call of the last tier."""
    train_gain: float
    """Score points (100 = a right instead of a wrong answer) above the last tier, out of fold."""
    train_cut: float
    """Share of its cost saved."""
    gain: float
    cut: float
    calls: float


def trade_off(
    train: PanelSignals,
    test: PanelSignals,
    fold: NDArray[np.int64],
    signals: Signals,
    prices: Sequence[float] = PRICES,
) -> list[Point]:
    """Return the policies of a range of prices, on train (out of fold) and on test."""
    points = []
    for price in prices:
        policy, seen = fit_continuation(train, fold, price, signals)
        got = policy.run(test)
        points.append(
            Point(price, *_against_last(train, seen), *_against_last(test, got), float(got.calls.mean()))
        )
    return points


def operating_point(points: Sequence[Point], margin: float = 0.0) -> Point | None:
    """Return the cheapest point whose *train* gain is at least `margin`; None where there is none."""
    good = [point for point in points if point.train_gain >= margin]
    return max(good, key=lambda point: point.train_cut) if good else None


def _against_last(panel: PanelSignals, got: Outcome) -> tuple[float, float]:
    gain = 100.0 * float(got.score.mean() - panel.correct[:, -1].mean())
    return gain, saved_share(float(panel.costs[:, -1].mean()), float(got.cost.mean()))
