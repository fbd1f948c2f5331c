"""Pool advice: which single swap of a model would pay most, by the very plan that serves.

A pool is judged by what the plan would make of the org's logged calls: thetas are the models' completion
probabilities, moved by the org's own evidence where there is some. How good a model really is remains uncertain; the
same calls are planned over many draws of that level, each as if the router had learnt it already.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ...state.records import Evidence
from ..belief.judge_table import JudgeTable
from ..belief.thompson import DEFAULT_LEARNER, Learner, combined, shifted
from .cascade import PlanPrices, plan

Floats = NDArray[np.float64]

PUBLISHED_SD_LOGITS = 0.5
"""Error of a level read off published benchmarks, logits: .1 around .7. Recorded sources showed mean errors of the pass
rate from .01 to .11."""
UNPUBLISHED_SD_LOGITS = 1.0
"""The same where nothing but the tier is known."""
DRAWS = 128
SCREENED = 10
"""Swaps looked at closely, of all; the others are ranked by their expected levels alone."""
_STEP = 0.02
_FLOOR = 0.01


@dataclass(frozen=True)
class Prospect:
    """A model as the advisor sees it; arrays of shape (calls,)."""

    model_id: str
    tier: str
    probs: Floats
    """Predicted probability of a good answer to each logged call, before own evidence."""
    costs_usd: Floats
    """Expected cost of each call."""
    evidence: Evidence | None = None
    """What the org observed of it, over all cells."""
    benchmarks: int = 0
    """Published figures its prediction rests on; 0 = its tier alone."""

    @property
    def observations(self) -> float:
        """Judged first answers of the org's own, those discounted left out."""
        return combined(self.evidence, self.evidence)[2] if self.evidence is not None else 0.0

    @property
    def basis(self) -> str:
        """What its level is known from."""
        figures = "benchmark" if self.benchmarks == 1 else "benchmarks"
        published = f"{self.benchmarks} published {figures}" if self.benchmarks else "its tier alone"
        return f"{self.observations:.0f} judged answers, {published}" if self.observations else published


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """What a pool is judged by."""

    prices: PlanPrices
    """Of the org's callers; latency plays no part."""
    table: JudgeTable | None
    """The org's judge; None when nobody can judge, and one of too small an AUC is not asked."""
    judge_cost_usd: float
    """Expected cost of one judgement."""
    learner: Learner = DEFAULT_LEARNER


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference with its 90 % interval over what the models' levels may be."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Swap:
    """One model of the pool for another."""

    out: str
    into: str
    points: Estimate
    """Change of quality, points of 100."""
    usd_per_1000_calls: Estimate
    """Change of cost, judgements included; below 0 = saved."""
    gain_points: Estimate
    """Change of quality minus priced cost: what swaps are ranked by."""
    gain_prob: float
    """Probability that the swap pays, 0 to 1."""
    basis_out: str
    basis_into: str


@dataclass(frozen=True, slots=True)
class _Outlook:
    """Per draw, shape (draws,)."""

    value: Floats
    quality: Floats
    cost_usd: Floats


def rank_swaps(
    pool: Sequence[Prospect],
    offers: Sequence[Prospect],
    terms: PoolTerms,
    rng: np.random.Generator,
    *,
    most: int = SCREENED,
) -> list[Swap]:
    """Return the swaps that promise most, the best first; empty without a pool, calls or offers.

    `pool` and `offers` are the models in use, and those that may take the place of one; all over the same calls.
    """
    if not pool or not offers or not len(pool[0].probs):
        return []
    bench = _Bench(pool, offers, terms, rng)
    swaps = [(one, other) for one in range(len(pool)) for other in range(len(offers))]
    promise = [bench.outlook(one, other, draws=1).value[0] for one, other in swaps]
    best = sorted(range(len(swaps)), key=lambda number: -promise[number])[:most]
    before = bench.outlook(None, None, draws=DRAWS)
    found = [bench.swap(*swaps[number], before) for number in best]
    return sorted(found, key=lambda swap: -swap.gain_points.mean)


class _Bench:
    """One pool and its offers; the same draws of every model's level serve all comparisons."""

    def __init__(
        self, pool: Sequence[Prospect], offers: Sequence[Prospect], terms: PoolTerms, rng: np.random.Generator
    ) -> None:
        self._pool, self._offers = list(pool), list(offers)
        self._reference_usd = max(float(one.costs_usd.mean()) for one in pool) or 1e-12
        judge_cost = terms.judge_cost_usd / self._reference_usd
        self._prices = replace(terms.prices, latency_price=0.0, judge_cost=judge_cost)
        self._table = terms.table if terms.table is not None and terms.table.is_trusted else None
        everybody = (*pool, *offers)
        noise = rng.standard_normal((len(everybody), DRAWS))
        noise[:, 0] = 0.0  # the first draw is the expected level itself
        self._levels = {
            one.model_id: _levels(one, noise[number], terms.learner) for number, one in enumerate(everybody)
        }

    def outlook(self, one: int | None, other: int | None, draws: int) -> _Outlook:
        """Return what the plan makes of the calls with pool model `one` replaced by offer `other`.

        By the envelope theorem the expected cost is how fast the value falls as the price of cost rises.
        """
        pool = list(self._pool)
        if one is not None and other is not None:
            pool[one] = self._offers[other]
        pool.sort(key=lambda prospect: float(prospect.costs_usd.mean()))
        thetas = np.stack([self._levels[prospect.model_id][:draws].ravel() for prospect in pool], axis=1)
        costs = (
            np.stack([np.tile(prospect.costs_usd, draws) for prospect in pool], axis=1) / self._reference_usd
        )
        price = self._prices.quality_price
        step = _STEP * price
        low, middle, high = (
            self._value(thetas, costs, price + shift).reshape(draws, -1).mean(axis=1)
            for shift in (-step, 0.0, step)
        )
        cost = np.maximum((low - high) / (2.0 * step), 0.0)
        return _Outlook(middle, middle + price * cost, cost * self._reference_usd)

    def swap(self, one: int, other: int, before: _Outlook) -> Swap:
        """Return one swap against the pool as it is."""
        after = self.outlook(one, other, draws=len(before.value))
        gain = after.value - before.value
        out, into = self._pool[one], self._offers[other]
        return Swap(
            out=out.model_id,
            into=into.model_id,
            points=_estimate(100.0 * (after.quality - before.quality)),
            usd_per_1000_calls=_estimate(1_000.0 * (after.cost_usd - before.cost_usd)),
            gain_points=_estimate(100.0 * gain),
            gain_prob=round(float((gain > 0.0).mean()), 3),
            basis_out=out.basis,
            basis_into=into.basis,
        )

    def _value(self, thetas: Floats, costs: Floats, price: float) -> Floats:
        prices = replace(self._prices, quality_price=price)
        return plan(thetas, costs, np.zeros(costs.shape[1]), None, self._table, prices).value


def _levels(one: Prospect, noise: Floats, learner: Learner) -> Floats:
    """Return a model's quality on each call in each draw of its level, shape (draws, calls)."""
    sums = combined(one.evidence, one.evidence, learner) if one.evidence is not None else (0.0, 0.0, 0.0)
    means = one.probs
    if sums[2] > 0.0:
        means = np.array([shifted(float(p), sums, learner.n0) for p in one.probs])
    clipped = np.clip(means, _FLOOR, 1.0 - _FLOOR)
    published = PUBLISHED_SD_LOGITS if one.benchmarks else UNPUBLISHED_SD_LOGITS
    mean = float(clipped.mean())
    spread = 1.0 / sqrt(sums[2] * mean * (1.0 - mean) + published**-2)
    logits = np.log(clipped / (1.0 - clipped)) + spread * noise[:, None]
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def _estimate(values: Floats) -> Estimate:
    low, high = np.quantile(values[1:] if len(values) > 1 else values, [0.05, 0.95])
    return Estimate(round(float(values.mean()), 3), round(float(low), 3), round(float(high), 3))
