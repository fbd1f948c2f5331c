"""The plan over tiers where the free verifier assesses every answer before anybody decides to pay a judge for it.

As in `cascade`, an answer believed right with probability h is held and S are the tiers not yet asked:

    W(h, S)    = max of h and, for each j in S,  sum_v P_v U(h, q_v, S after j) - price_j
    U(h, q, S) = max of W(max(h, q), S)                                     the verifier is enough
                        sum_b P_b(q) W(max(h, q_b), S) - judge              ask the judge as well

v are the bins of the verifier's own table of tier j, b those of the judge, whose table depends on v.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..belief.judge_table import BINS, JudgeTable
from .cascade import STOP, PlanPrices, PlanResult

Floats = NDArray[np.float64]
TablesAfterVerifier = tuple[JudgeTable, ...]
"""The judge's table after each bin of the verifier; see `judge_worth.tables_after_verifier`."""


def plan_with_verifiers(  # noqa: PLR0913, PLR0917 - the inputs of `cascade.plan` and the verifiers
    thetas: ArrayLike,
    costs: ArrayLike,
    latencies: ArrayLike,
    best_so_far: ArrayLike | None,
    verifiers: Sequence[tuple[JudgeTable, TablesAfterVerifier]],
    prices: PlanPrices,
    *,
    max_answers: int = 3,
) -> PlanResult:
    """Return the best action of each draw; whether the answer is judged is left to the verifier, so `judge` is False.

    Parameters
    ----------
    verifiers
        Of each column the verifier's table, a flat one where it knows nothing, and the judge's after each of its
        bins, empty where nobody can be asked.

    The other parameters and the shapes are those of `cascade.plan`.

    Raises
    ------
    ValueError
        If nothing is held and no column is given, or the verifiers are not one a column.
    """
    thetas = np.asarray(thetas, dtype=np.float64)
    rows, columns = thetas.shape
    if best_so_far is None and not columns:
        raise ValueError("a plan needs at least one tier or an answer held, got neither")
    if len(verifiers) != columns:
        raise ValueError(f"a plan needs a verifier a column, got {len(verifiers)} for {columns} columns")
    start = np.full(rows, -np.inf) if best_so_far is None else np.asarray(best_so_far, dtype=np.float64)
    steps = np.broadcast_to(
        prices.step_price(np.asarray(costs, float), np.asarray(latencies, float)), thetas.shape
    )
    problem = _Problem(thetas.T, steps.T, start, verifiers, prices)
    actions = [prices.worth(start)]
    actions += [problem.asked(j, 1, max_answers)[0] for j in range(columns if max_answers > 0 else 0)]
    values = np.array(actions)
    best = values.argmax(axis=0)
    return PlanResult(
        arm=np.where(best == 0, STOP, best - 1),
        judge=np.zeros(rows, dtype=np.bool_),
        value=values[best, np.arange(rows)],
    )


class _Problem:
    """One plan; every array's last axis is the draw.

    W is needed at the answer held at the start and, after each column, at one belief a bin of the verifier and one a
    pair of bins of verifier and judge. W grows with h, so W(max(h, q)) = max(W(h), W(q)), as in `cascade`.
    """

    def __init__(
        self,
        thetas: Floats,
        steps: Floats,
        start: Floats,
        verifiers: Sequence[tuple[JudgeTable, TablesAfterVerifier]],
        prices: PlanPrices,
    ) -> None:
        self._steps, self._prices = steps, prices
        self._columns, draws = thetas.shape
        right = thetas[:, None] * np.array([verifier.right for verifier, _ in verifiers])[..., None]
        self._chances = (
            right
            + (1.0 - thetas[:, None]) * np.array([verifier.wrong for verifier, _ in verifiers])[..., None]
        )
        beliefs = right / self._chances
        points, self._judged_chances, self._own = beliefs, None, BINS
        if all(judged for _, judged in verifiers):
            after_right = np.array([[one.right for one in judged] for _, judged in verifiers])[..., None]
            after_wrong = np.array([[one.wrong for one in judged] for _, judged in verifiers])[..., None]
            after_right = beliefs[:, :, None] * after_right
            self._judged_chances = after_right + (1.0 - beliefs[:, :, None]) * after_wrong
            after = (after_right / self._judged_chances).reshape(self._columns, -1, draws)
            points = np.concatenate([beliefs, after], axis=1)
            self._own += after.shape[1]
        self._worth = prices.worth(np.concatenate([start[None], points.reshape(-1, draws)]))
        self._values: dict[tuple[int, int], Floats] = {}

    def asked(self, j: int, points: int, answers_left: int) -> Floats:
        """Return the value of asking column j and assessing the answer, at the first `points`; shape (points, D)."""
        ahead = self._value(j + 1, answers_left - 1)
        held, own = ahead[:points, None], ahead[1 + j * self._own : 1 + (j + 1) * self._own]
        best = np.maximum(held, own[:BINS])
        if self._judged_chances is not None:
            after = own[BINS:].reshape(BINS, BINS, -1)
            for seen in range(BINS):
                judged = (np.maximum(held, after[seen]) * self._judged_chances[j, seen]).sum(axis=1)
                best[:, seen] = np.maximum(best[:, seen], judged - self._prices.judge_price)
        value: Floats = (best * self._chances[j]).sum(axis=1) - self._steps[j]
        return value

    def _value(self, first: int, answers_left: int) -> Floats:
        """Return W at every answer that can be held when column `first` is next."""
        points = 1 + first * self._own
        answers_left = min(answers_left, self._columns - first)
        if answers_left < 1:
            return self._worth[:points]
        key = (first, answers_left)
        if key not in self._values:
            later = self._value(first + 1, answers_left)[:points]
            self._values[key] = np.maximum(later, self.asked(first, points, answers_left))
        return self._values[key]
