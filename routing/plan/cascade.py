"""The plan over tiers: which to ask, whether to have the answer judged, when to stop.

An answer believed right with probability h is held, or none (h = -inf); S are the tiers not yet asked, in
ladder order.

    V(h, S) = max of
        h                                                                   keep what is held
        max(h, theta_j) - price_j                               j in S      ask j, keep the better unseen
        sum_b P_b V(max(h, q_b), S after j) - price_j - judge   j in S      ask j, see bin b of the score

    price_j = lambda cost_j + latency price_j + call penalty; P_b = theta_j L1_b + (1 - theta_j) L0_b;
    q_b = theta_j L1_b / P_b.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..belief.judge_table import JudgeTable

Floats = NDArray[np.float64]
STOP = -1
_BAR_QUALITY_PRICE = 0.02
"""Quality a reference call is worth under a quality bar."""


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """What cost, time and effort are worth, in quality points (1 = a right instead of a wrong answer)."""

    quality_price: float = 0.10
    """Quality paid for one call of the reference frontier model (lambda)."""
    latency_price: float = 0.03
    """Quality paid for one reference latency."""
    call_penalty: float = 0.003
    judge_penalty: float = 0.001
    judge_cost: float = 0.05
    """Cost of one judgement, relative to the reference cost."""
    quality_bar: float | None = None
    """Quality beyond which more is worth nothing: the plan looks for the cheapest answer that meets it."""

    @property
    def scale(self) -> float:
        """What all prices are multiplied with: under a quality bar they only break ties."""
        if self.quality_bar is None or self.quality_price <= _BAR_QUALITY_PRICE:
            return 1.0
        return _BAR_QUALITY_PRICE / self.quality_price

    def worth(self, quality: Floats) -> Floats:
        """Return what holding an answer of this quality is worth."""
        return quality if self.quality_bar is None else np.minimum(quality, self.quality_bar)

    def step_price(self, costs: Floats, latencies: Floats) -> Floats:
        """Return the price of asking, for relative costs and latencies of any one shape."""
        return self.scale * (self.quality_price * costs + self.latency_price * latencies + self.call_penalty)

    @property
    def judge_price(self) -> float:
        """Price of one judgement."""
        return self.scale * (self.quality_price * self.judge_cost + self.judge_penalty)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The best action of each draw; all shapes (D,)."""

    arm: NDArray[np.int64]
    """Column to ask, or -1 to stop."""
    judge: NDArray[np.bool_]
    value: Floats


def plan(  # noqa: PLR0913, PLR0917 - the six inputs of the equation above
    thetas: ArrayLike,
    costs: ArrayLike,
    latencies: ArrayLike,
    best_so_far: ArrayLike | None,
    table: JudgeTable | None,
    prices: PlanPrices,
    *,
    max_answers: int = 3,
) -> PlanResult:
    """Return the best action of each draw by exact expectation over what a judge may say.

    Parameters
    ----------
    thetas
        Drawn quality, shape (D, K): one column a tier, in ladder order; after one only later ones remain.
    costs, latencies
        Relative to the reference frontier model, shape (K,) or (D, K).
    best_so_far
        Posterior quality of the best answer held, shape (D,), or None when there is none yet.
    table
        The judge, or None when no answer can be judged.
    max_answers
        Most answers that may still be bought, at least 1.

    Raises
    ------
    ValueError
        If nothing is held and no column is given.
    """
    thetas = np.asarray(thetas, dtype=np.float64)
    rows, columns = thetas.shape
    if best_so_far is None and not columns:
        raise ValueError("a plan needs at least one tier or an answer held, got neither")
    start = np.full(rows, -np.inf) if best_so_far is None else np.asarray(best_so_far, dtype=np.float64)
    steps = np.broadcast_to(
        prices.step_price(np.asarray(costs, float), np.asarray(latencies, float)), thetas.shape
    )
    problem = _Problem(thetas.T, steps.T, start, table, prices)
    actions = [(STOP, False, prices.worth(start)), *problem.first_actions(max_answers)]
    values = np.array([value for _, _, value in actions])
    best = values.argmax(axis=0)
    return PlanResult(
        arm=np.array([arm for arm, _, _ in actions])[best],
        judge=np.array([judge for _, judge, _ in actions])[best],
        value=values[best, np.arange(rows)],
    )


class _Problem:
    """One plan. Every array's last axis is the draw, so that a few hundred draws cost little more than one.

    V(h, S) is needed only at the answers that may be held: the one held at the start and, after each column, one
    a score bin. `_points` lists them, shape (1 + columns x bins, D); the first 1 + j x bins can be held when
    column j is next. V grows with h, so V(max(h, q)) = max(V(h), V(q)) and two answers need no point of their own.
    """

    def __init__(
        self, thetas: Floats, steps: Floats, start: Floats, table: JudgeTable | None, prices: PlanPrices
    ) -> None:
        self._thetas, self._steps, self._prices = thetas, steps, prices
        self._columns, draws = thetas.shape
        self._points, self._chances, self._bins = start[None], None, 0
        if table is not None:
            right = thetas[:, None] * np.asarray(table.right)[:, None]
            self._chances = right + (1.0 - thetas[:, None]) * np.asarray(table.wrong)[:, None]
            self._bins = right.shape[1]
            qualities = (right / self._chances).reshape(-1, draws)
            self._points = np.concatenate((start[None], qualities))
        self._worth = prices.worth(self._points)
        self._values: dict[tuple[int, int], Floats] = {}

    def first_actions(self, answers_left: int) -> Iterator[tuple[int, bool, Floats]]:
        """Yield (column, judged, value) of each way to ask first."""
        for j in range(self._columns if answers_left > 0 else 0):
            yield j, False, self._taken(j, 1)[0]
            if self._chances is not None:
                yield j, True, self._judged(j, 1, answers_left)[0]

    def _taken(self, j: int, points: int) -> Floats:
        """Return the value of asking column j and keeping the better answer unseen, at the first `points`."""
        better: Floats = np.maximum(self._points[:points], self._thetas[j])
        value: Floats = self._prices.worth(better) - self._steps[j]
        return value

    def _judged(self, j: int, points: int, answers_left: int) -> Floats:
        """Return the value of asking column j and seeing its bin, at the first `points`; shape (points, D)."""
        assert self._chances is not None
        ahead = self._value(j + 1, answers_left - 1)
        own = 1 + j * self._bins
        seen = np.maximum(ahead[:points], ahead[own : own + self._bins, None])
        seen *= self._chances[j][:, None]
        value: Floats = seen.sum(axis=0) - (self._steps[j] + self._prices.judge_price)
        return value

    def _value(self, first: int, answers_left: int) -> Floats:
        """Return V at every answer that can be held when column `first` is next."""
        points = 1 + first * self._bins
        answers_left = min(answers_left, self._columns - first)
        if answers_left < 1:
            return self._worth[:points]
        key = (first, answers_left)
        if key not in self._values:
            value = np.maximum(self._value(first + 1, answers_left)[:points], self._taken(first, points))
            self._values[key] = np.maximum(value, self._judged(first, points, answers_left))
        return self._values[key]
