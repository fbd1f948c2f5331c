"""Whether a judge is still worth its price once the free verifier has looked at the answer.

The verifier moves belief in the newest answer from theta to q_v. With h the best of the other answers held, S the
tiers not yet asked and V the plan's value of a situation,

    V_judge = sum_b P_b(q_v) V(max(h, q_b), S) - judge price
    V_skip  = V(max(h, q_v), S)

and the judge is asked where V_judge > V_skip. P_b and q_b are those of the plan with q_v in theta's place, and with
what the judge still tells once the verifier has spoken: the two are mistaken about the same answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..belief.judge_table import JudgeTable
from .cascade import PlanPrices, plan
from .verified_cascade import TablesAfterVerifier, plan_with_verifiers

Floats = NDArray[np.float64]

ERROR_CORRELATION = 0.2
"""How far judge and verifier err together where nobody has measured it."""
_MOST_CORRELATION = 0.95
_LEAST_SHARE = 1e-6
_NORMAL = NormalDist()
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(31)


@dataclass(frozen=True, slots=True)
class JudgeWorth:
    """What asking the judge and not asking it are worth; all shapes (D,)."""

    judged: Floats
    """Expected value of asking, its price paid."""
    skipped: Floats

    @property
    def is_worth(self) -> NDArray[np.bool_]:
        """Where the judge is worth its price."""
        return self.judged > self.skipped


def judge_worth(  # noqa: PLR0913 - the situation after the verifier: what is held, what is left, who is asked
    seen: ArrayLike,
    bins: ArrayLike,
    best_so_far: ArrayLike | None,
    judged: TablesAfterVerifier,
    prices: PlanPrices,
    *,
    thetas: ArrayLike,
    costs: ArrayLike,
    latencies: ArrayLike,
    max_answers: int,
    table: JudgeTable,
    verifiers: Sequence[tuple[JudgeTable, TablesAfterVerifier]] | None = None,
) -> JudgeWorth:
    """Return what the judge of the newest answer is worth, by exact expectation over what it may say.

    Parameters
    ----------
    seen, bins
        Belief in the newest answer after the verifier's assessment, and the bin that was seen; shape (D,).
    best_so_far
        Belief in the best of the other answers held, shape (D,); None = there is none.
    judged
        What the judge still tells of this answer: `tables_after_verifier`.
    thetas, costs, latencies
        Of the tiers not yet asked, as `plan` takes them; shape (D, 0) and (0,) after the last one.
    max_answers
        Most answers that may still be bought; 0 = none.
    table
        The judge's, for the answers of those tiers.
    verifiers
        Of each of those tiers the verifier's table and what the judge tells after it, where the plan foresees what
        the verifier will say there; then `table` is not read.
    """
    belief = np.asarray(seen, dtype=np.float64)
    other = (
        np.full(len(belief), -np.inf) if best_so_far is None else np.asarray(best_so_far, dtype=np.float64)
    )
    of_bin = np.asarray(bins, dtype=np.int64)
    right = belief * np.array([one.right for one in judged])[of_bin].T
    chances = right + (1.0 - belief) * np.array([one.wrong for one in judged])[of_bin].T
    # One plan values all situations at once: unjudged, then one a bin.
    situations = np.maximum(other, np.vstack([belief, right / chances]))
    rest = np.asarray(thetas, dtype=np.float64)
    if max_answers < 1 or not rest.shape[1]:
        values = prices.worth(situations)
    else:
        times = (len(situations), 1)
        tiled, at_costs, at_latencies = (
            np.tile(np.broadcast_to(one, rest.shape), times) for one in (rest, costs, latencies)
        )
        start = situations.ravel()
        found = (
            plan(tiled, at_costs, at_latencies, start, table, prices, max_answers=max_answers)
            if verifiers is None
            else plan_with_verifiers(
                tiled, at_costs, at_latencies, start, verifiers, prices, max_answers=max_answers
            )
        )
        values = found.value.reshape(situations.shape)
    return JudgeWorth((chances * values[1:]).sum(axis=0) - prices.judge_price, values[0])


@lru_cache(maxsize=256)
def tables_after_verifier(
    table: JudgeTable, verifier: JudgeTable, correlation: float = ERROR_CORRELATION
) -> TablesAfterVerifier:
    """Return the judge's table after each bin of the verifier; at correlation 0 five times the same.

    Both signals are bins of a normal one whose errors, within right answers and within wrong ones, correlate: a
    verifier mistaken about an answer makes the same mistake of the judge likelier. The shares of either signal alone
    stay as they are, so that the belief expected after the judge is the belief before. A negative correlation counts
    as 0. Source: the Gaussian copula, integrated over the shared part by Gauss-Hermite quadrature.
    """
    shared = min(max(correlation, 0.0), _MOST_CORRELATION)
    if shared == 0.0:
        return (table,) * len(verifier.right)
    right, wrong = (
        _given(verified, judged, shared)
        for verified, judged in ((verifier.right, table.right), (verifier.wrong, table.wrong))
    )
    return tuple(
        replace(table, right=tuple(one.tolist()), wrong=tuple(other.tolist()))
        for one, other in zip(right, wrong, strict=True)
    )


def _given(verified: Sequence[float], judged: Sequence[float], shared: float) -> Floats:
    """Return the judge's shares given each bin of the verifier, shape (verifier bins, judge bins)."""
    joint = np.einsum("nv,nb,n->vb", _in_bins(verified, shared), _in_bins(judged, shared), _WEIGHTS)
    joint = np.maximum(joint, _LEAST_SHARE * joint.sum())
    given: Floats = joint / joint.sum(axis=1, keepdims=True)
    return given


def _in_bins(shares: Sequence[float], shared: float) -> Floats:
    """Return the probability of each bin given the shared part of the error, shape (nodes, bins)."""
    edges = [_NORMAL.inv_cdf(min(below, 1.0 - 1e-9)) for below in list(accumulate(shares))[:-1]]
    own = sqrt(1.0 - shared)
    below = [[_NORMAL.cdf((edge - sqrt(shared) * node) / own) for edge in edges] for node in _NODES.tolist()]
    return np.diff(np.array(below), axis=1, prepend=0.0, append=1.0)
