"""What an org's calls say beside other ways to have made them: intervals, single models, and how much prompts matter.

Everything is read from sums that each call moves once, so nothing here walks a log.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from ...state.savings import saved_share

Z95 = 1.959963984540054
"""Quantile of the standard normal distribution; intervals are of 95 %."""
LEAST_CALLS = 2
"""An interval needs a variance."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean or a share, and the 95 % interval around it; no interval of fewer than two calls."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Single:
    """What all the calls would have cost on one model, and how good its answers are believed to be."""

    model_id: str
    cost_usd: float
    """Of the same tokens, at its prices of now."""
    quality: float
    """Believed share of right answers over the org's kinds of task, 0 to 1."""
    quality_variance: float


@dataclass(frozen=True, slots=True)
class MoneySums:
    """Sums over calls of what was paid and what the reference would have cost, of their squares and products."""

    count: int
    paid: float
    reference: float
    paid_sq: float
    reference_sq: float
    paid_reference: float


def mean_interval(count: int, total: float, squares: float) -> Interval | None:
    """Return a mean with its normal interval; None of nothing.

    Parameters
    ----------
    total, squares
        Sum of the values, and of their squares.
    """
    if count < 1:
        return None
    mean = total / count
    if count < LEAST_CALLS:
        return Interval(mean)
    variance = max(0.0, squares - count * mean * mean) / (count - 1)
    half = Z95 * sqrt(variance / count)
    return Interval(mean, mean - half, mean + half)


def right_share_interval(count: int, total: float) -> Interval | None:
    """Return the share of right answers, with its normal interval; None of nothing.

    Of answers that are right with probabilities p, a share m = mean(p) is expected to be. Drawn anew, prompts and all,
    the share of so many varies by m (1 - m) / count: the spread of p and that of the answers, given p, together.

    Parameters
    ----------
    total
        Sum of the probabilities.
    """
    if count < 1:
        return None
    mean = total / count
    if count < LEAST_CALLS:
        return Interval(mean)
    half = Z95 * sqrt(max(0.0, mean * (1.0 - mean)) / count)
    return Interval(mean, mean - half, mean + half)


def saved_share_interval(sums: MoneySums) -> Interval | None:
    """Return the share of the reference's cost that was saved; None where the reference cost nothing.

    A ratio of two sums R = paid / reference over n calls has, by the delta method (Cochran, Sampling Techniques, 3rd
    ed., section 6.4), variance n / (n - 1) sum (p - R r)^2 / (sum r)^2.
    """
    if sums.reference <= 0.0:
        return None
    share = saved_share(sums.reference, sums.paid)
    if sums.count < LEAST_CALLS:
        return Interval(share)
    ratio = sums.paid / sums.reference
    spread = max(0.0, sums.paid_sq - 2.0 * ratio * sums.paid_reference + ratio * ratio * sums.reference_sq)
    half = Z95 * sqrt(spread * sums.count / (sums.count - 1)) / sums.reference
    return Interval(share, share - half, share + half)


def choice_dependence(cell_model_to_calls: Mapping[tuple[str, str], int]) -> float | None:
    """Return how much the kind of task says about the model: 0 = nothing, 1 = everything; None without calls.

    It is their normalised mutual information, 2 I / (H(cell) + H(model)), with the bias of I that comes of small
    numbers taken off (Miller 1955: (cells - 1)(models - 1) / 2n nats) and never below 0. Where all calls are of one
    kind, or one model answers all, the choice depends on nothing: 0.
    """
    total = sum(cell_model_to_calls.values())
    if not total:
        return None
    cells: dict[str, int] = {}
    models: dict[str, int] = {}
    for (cell, model), calls in cell_model_to_calls.items():
        cells[cell] = cells.get(cell, 0) + calls
        models[model] = models.get(model, 0) + calls
    of_cells, of_models = _entropy(cells.values(), total), _entropy(models.values(), total)
    if of_cells <= 0.0 or of_models <= 0.0:
        return 0.0
    shared = of_cells + of_models - _entropy(cell_model_to_calls.values(), total)
    bias = (_seen(cells) - 1) * (_seen(models) - 1) / (2.0 * total)
    return min(1.0, max(0.0, 2.0 * (shared - bias) / (of_cells + of_models)))


def best_single(singles: Sequence[Single], budget_usd: float) -> Single | None:
    """Return the best model that would have cost no more than `budget_usd`; None where each would have cost more."""
    affordable = [one for one in singles if one.cost_usd <= budget_usd]
    return max(affordable, key=lambda one: (one.quality, -one.cost_usd), default=None)


def gain_over(quality: Interval, single: Single) -> Interval:
    """Return the calls' share of right answers less a single model's, both uncertain and taken to be independent."""
    gain = quality.value - single.quality
    if quality.high is None:
        return Interval(gain)
    half = sqrt((quality.high - quality.value) ** 2 + Z95 * Z95 * single.quality_variance)
    return Interval(gain, gain - half, gain + half)


def _entropy(counts: Iterable[int], total: int) -> float:
    return -sum(n / total * log(n / total) for n in counts if n > 0)


def _seen(counts: Mapping[str, int]) -> int:
    return sum(n > 0 for n in counts.values())
