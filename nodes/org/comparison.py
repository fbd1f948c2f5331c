"""An org's calls beside single models: read from sums, priced by the models of now, believed as its evidence says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ...providers.specs import ModelSpec
from ...routing.belief.comparison import (
    Interval,
    MoneySums,
    Single,
    best_single,
    choice_dependence,
    gain_over,
    mean_interval,
    right_share_interval,
    saved_share_interval,
)
from ...routing.belief.completion import TIER_PRIOR
from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.label_evidence import label_worth
from ...routing.belief.thompson import Learner, belief_mean, combine, offset_posterior
from ...state.queries.rollups import ChoiceSum, Predictions
from ...state.records import Evidence, usd_from_nusd
from ...state.usage import Usage

if TYPE_CHECKING:
    from ..services import Services


@dataclass(frozen=True, slots=True)
class Beside:
    """All counted calls on one model instead."""

    model_id: str
    cost_usd: float
    saved_usd: float
    """What the calls cost less than that, judge included; below 0 where they cost more."""
    quality: float
    """Believed share of right answers."""
    quality_gain: Interval | None
    """What is believed of the calls' answers less that; scores are no probabilities, and are left out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the sums of an org's calls say."""

    saved_share: Interval | None
    quality: Interval | None
    """Mean score."""
    believed: Interval | None
    """Share of right answers, as likely as each is after all that was seen of it; None of calls of which that was not
    kept."""
    share_judged: float | None
    choice_dependence: float | None
    counted_calls: int
    """Calls whose answer's tokens are known: the single models are told of these."""
    counted_paid_usd: float
    frontier: Beside | None
    """Always the reference model."""
    single: Beside | None
    """The best single model that costs no more than was paid for these calls."""


async def compare(services: "Services", org: str | None) -> Comparison:
    """Return how the calls of an org, or of all for None, compare; single models are told of one org only."""
    sums = await services.store.rollups.choices(org)
    calls = sum(one.total_calls for one in sums)
    believed = right_share_interval(sum(one.believed for one in sums), sum(one.right_prob for one in sums))
    beside = None if org is None else await _singles(services, org, sums)
    counted_usd = usd_from_nusd(sum(one.counted_paid_nusd for one in sums))
    best = frontier = None
    if beside:
        best = best_single(list(beside.values()), counted_usd)
        reference = services.reference.model_id
        settings = await services.org_settings.of(org or "", services.store, services.clock_s())
        frontier = beside.get(settings.reference_model or reference) or beside.get(reference)
    return Comparison(
        saved_share=_saved_share(calls, sums),
        quality=_quality(sums),
        believed=believed,
        share_judged=sum(one.judged for one in sums) / calls if calls else None,
        choice_dependence=choice_dependence({(one.task_cell, one.model_id): one.total_calls for one in sums}),
        counted_calls=sum(one.counted_calls for one in sums),
        counted_paid_usd=counted_usd,
        frontier=_beside(frontier, counted_usd, believed),
        single=_beside(best, counted_usd, believed),
    )


def _quality(sums: Sequence[ChoiceSum]) -> Interval | None:
    return mean_interval(
        sum(one.rated for one in sums), sum(one.quality for one in sums), sum(one.quality_sq for one in sums)
    )


def _saved_share(calls: int, sums: Sequence[ChoiceSum]) -> Interval | None:
    paid_nusd = sum(one.cost_nusd + one.judge_cost_nusd for one in sums)
    return saved_share_interval(MoneySums(
        calls, paid_nusd / 1e9, sum(one.reference_cost_nusd for one in sums) / 1e9,
        sum(one.paid_sq for one in sums), sum(one.reference_sq for one in sums),
        sum(one.paid_reference for one in sums),
    ))  # fmt: skip


async def _singles(services: "Services", org: str, sums: Sequence[ChoiceSum]) -> dict[str, Single]:
    """Return what every model that can be reached, and the reference, would have made of the org's counted calls."""
    cell_to_share = _shares(sums)
    if not cell_to_share:
        return {}
    usage = Usage(
        prompt_tokens=sum(one.prompt_tokens for one in sums),
        completion_tokens=sum(one.completion_tokens for one in sums),
        cached_tokens=sum(one.cached_tokens for one in sums),
    )
    store = services.store
    cells = await store.posteriors.read_all(org)
    pooled = {one.model_id: one for one in await store.posteriors.read_pooled(org)}
    org_calls = await store.orgs.call_count(org)
    cell_to_evidence = {
        cell: combine(
            {one.model_id: one for one in cells if one.task_cell == cell}, pooled, services.learner, org_calls
        )
        for cell in cell_to_share
    }
    specs = {**services.models, services.reference.model_id: services.reference}
    table = None if services.judge is None else services.table_of(org)
    predictions = await store.rollups.predictions(org)
    known = _Known(cell_to_share, cell_to_evidence, predictions, services.learner, table)
    return {
        model_id: _single(spec.priced_at(services.now()), usage, known) for model_id, spec in specs.items()
    }


def _shares(sums: Sequence[ChoiceSum]) -> dict[str, float]:
    """Return each kind of task's share of the counted calls."""
    counted = sum(one.counted_calls for one in sums)
    shares: dict[str, float] = {}
    for one in sums:
        if one.counted_calls:
            shares[one.task_cell] = shares.get(one.task_cell, 0.0) + one.counted_calls / counted
    return shares


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an org's kinds of task, whichever model is looked at."""

    cell_to_share: Mapping[str, float]
    cell_to_evidence: Mapping[str, Mapping[str, Evidence]]
    predictions: Predictions
    """At prompts of all calls: those that a model was asked first are harder, or easier, than the others."""
    learner: Learner
    table: JudgeTable | None
    """Of the judge, where there is one."""


def _single(spec: ModelSpec, usage: Usage, known: _Known) -> Single:
    # Of a kind of task with little evidence of its own the model is believed what all kinds showed, so errors go
    # together: their spreads add, and not their squares.
    quality = spread = 0.0
    for cell, share in known.cell_to_share.items():
        evidence = known.cell_to_evidence[cell].get(spec.model_id)
        predicted = known.predictions.mean(cell, spec.model_id)
        if predicted is None:
            predicted = TIER_PRIOR[spec.tier]
        mean = belief_mean(predicted, evidence, known.learner)
        observed = offset_posterior(predicted, evidence, known.learner)[1] - known.learner.kappa0
        # What a judge says of an answer tells less than knowing whether it is right.
        told = observed if known.table is None else observed / label_worth(mean, known.table)
        quality += share * mean
        spread += share * sqrt(mean * (1.0 - mean) / (known.learner.kappa0 + told + 1.0))
    return Single(spec.model_id, usd_from_nusd(spec.cost_nusd(usage)), quality, spread**2)


def _beside(single: Single | None, paid_usd: float, believed: Interval | None) -> Beside | None:
    if single is None:
        return None
    gain = None if believed is None else gain_over(believed, single)
    return Beside(single.model_id, single.cost_usd, single.cost_usd - paid_usd, single.quality, gain)
