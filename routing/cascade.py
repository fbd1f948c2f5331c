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

from .judge_table import JudgeTable

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
    """The best move of each draw; all shapes (D,)."""

    arm: NDArray[np.int64]
    """Column to ask, or -1 to stop."""
    judge: NDArray[np.bool_]
    value: Floats


def plan(  # noqa: PLR0913, PLR0917 - the six inputs of the equation above
    thetas: ArrayLike,
    costs: ArrayLike,
    latencies: ArrayLike,
    held: ArrayLike | None,
    table: JudgeTable | None,
    prices: PlanPrices,
    *,
    max_moves: int = 3,
) -> PlanResult:
    """Return the best move of each draw by exact expectation over what a judge may say.

    Parameters
    ----------
    thetas
        Drawn quality, shape (D, K): one column a tier, in ladder order; after one only later ones remain.
    costs, latencies
        Relative to the reference frontier model, shape (K,) or (D, K).
    held
        Posterior quality of the best answer held, shape (D,), or None when there is none yet.
    table
        The judge, or None when no answer can be judged.
    max_moves
        Most answers that may still be bought, at least 1.

    Raises
    ------
    ValueError
        If nothing is held and no column is given.
    """
    thetas = np.asarray(thetas, dtype=np.float64)
    rows, columns = thetas.shape
    if held is None and not columns:
        raise ValueError("a plan needs at least one tier or an answer held, got neither")
    start = np.full(rows, -np.inf) if held is None else np.asarray(held, dtype=np.float64)
    steps = np.broadcast_to(
        prices.step_price(np.asarray(costs, float), np.asarray(latencies, float)), thetas.shape
    )
    problem = _Problem(thetas, steps, *_outlook(thetas, table), prices)
    moves = [(STOP, False, prices.worth(start)), *problem.moves(start, 0, max_moves)]
    values = np.stack([value for _, _, value in moves])
    best = values.argmax(axis=0)
    return PlanResult(
        arm=np.array([arm for arm, _, _ in moves])[best],
        judge=np.array([judge for _, judge, _ in moves])[best],
        value=values[best, np.arange(rows)],
    )


def _outlook(thetas: Floats, table: JudgeTable | None) -> tuple[Floats | None, Floats | None]:
    """Return chance of each score bin and quality it would leave, both (D, K, bins); None without a judge."""
    if table is None:
        return None, None
    right = thetas[..., None] * np.asarray(table.right)
    chances = right + (1.0 - thetas[..., None]) * np.asarray(table.wrong)
    return chances, right / chances


@dataclass(frozen=True, slots=True)
class _Problem:
    """The inputs of one plan; every array's first axis is the draw."""

    thetas: Floats
    steps: Floats
    chances: Floats | None
    qualities: Floats | None
    prices: PlanPrices

    def moves(self, held: Floats, first: int, moves_left: int) -> Iterator[tuple[int, bool, Floats]]:
        """Yield (column, judged, value) of each way to ask; `held` is (D, bins, …), one axis a judgement."""
        if moves_left < 1:
            return
        ones = (1,) * (held.ndim - 1)
        for j in range(first, self.thetas.shape[1]):
            step = self.steps[:, j].reshape(-1, *ones)
            yield j, False, self.prices.worth(np.maximum(held, self.thetas[:, j].reshape(-1, *ones))) - step
            if self.chances is None or self.qualities is None:
                continue
            quality = self.qualities[:, j].reshape(len(held), *ones, -1)
            chance = self.chances[:, j].reshape(quality.shape)
            ahead = self._value(np.maximum(held[..., None], quality), j + 1, moves_left - 1)
            yield j, True, (chance * ahead).sum(axis=-1) - step - self.prices.judge_price

    def _value(self, held: Floats, first: int, moves_left: int) -> Floats:
        value = self.prices.worth(held)
        for _, _, other in self.moves(held, first, moves_left):
            value = np.maximum(value, other)
        return value
