"""What do an org's own calls advise? Who is not worth their price, who is never asked, which swap would pay most."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ...nodes.org.judge_tables import read_labels
from ...providers.registry import Registry
from ...providers.specs import ModelSpec
from ...routing.belief.completion import completion_prob
from ...routing.belief.dominance import Dominated, dominated
from ...routing.belief.irt import CAPABILITY_BENCHMARKS
from ...routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ...routing.plan.cascade import PlanPrices
from ...routing.plan.pool_advice import PoolTerms, Prospect, Swap, rank_swaps
from ...routing.plan.weights import normalise, quality_price
from ...state.queries.usage import LoggedCall, ModelUsage
from ...state.records import Evidence, usd_from_nusd
from ...state.store import Store
from ...state.types import TIERS

TYPICAL_PROMPT_TOKENS = 1_000
"""Prompt at which prices are compared before there are calls."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What an org's own calls say about its pool."""

    org: str
    calls: int
    """Newest calls the swaps are planned over."""
    quality_paid: float
    """Quality the org's callers pay for one call of the pool's dearest model, dimensionless."""
    pool: dict[str, str]
    """Most asked model of each tier."""
    usage: tuple[ModelUsage, ...]
    dominated: tuple[Dominated, ...]
    tiers_never_used: tuple[str, ...]
    swaps: tuple[Swap, ...]
    """Best first; those below zero would not pay."""


async def advise_org(store: Store, registry: Registry, org: str, *, seed: int = 0) -> Advice:
    """Return the advice for one org, from its evidence, its calls and the models of the registry."""
    usage = await store.usage.models(org)
    logged = await store.usage.newest_calls(org)
    pooled = {one.model_id: one for one in await store.posteriors.read_pooled(org)}
    specs = {spec.model_id: spec for spec in registry.models if spec.role == "chat" and spec.priced}
    answers = [one for one in usage if one.kind == "answer"]
    pool = {
        tier: next(one.model_id for one in answers if one.tier == tier and one.model_id in specs)
        for tier in TIERS
        if any(one.tier == tier and one.model_id in specs for one in answers)
    }
    is_simulated = any(specs[model_id].simulated for model_id in pool.values())
    # A model of one's own is priced at nothing by the token, which is not what it costs to run.
    offers = [
        spec
        for spec in specs.values()
        if spec.model_id not in pool.values()
        and spec.simulated == is_simulated
        and spec.expected_cost_nusd(TYPICAL_PROMPT_TOKENS) > 0
    ]
    price = _quality_price(logged)
    swaps = rank_swaps(
        [_prospect(specs[model_id], logged, pooled) for model_id in pool.values()],
        [_prospect(spec, logged, pooled) for spec in offers],
        PoolTerms(PlanPrices(quality_price=price), await _table(store, org, usage), _judge_cost_usd(usage)),
        np.random.default_rng(seed),
    )
    tokens = int(fmean(one.prompt_tokens for one in logged)) if logged else TYPICAL_PROMPT_TOKENS
    prices = {name: float(spec.expected_cost_nusd(tokens)) for name, spec in specs.items()}
    return Advice(
        org=org,
        calls=len(logged),
        quality_paid=round(price, 4),
        pool={str(tier): model_id for tier, model_id in pool.items()},
        usage=tuple(usage),
        dominated=tuple(dominated(list(pooled.values()), prices)),
        tiers_never_used=tuple(tier for tier in TIERS if not any(one.tier == tier for one in answers)),
        swaps=tuple(swaps),
    )


def _prospect(spec: ModelSpec, logged: Sequence[LoggedCall], pooled: dict[str, Evidence]) -> Prospect:
    probs = [
        completion_prob(tier=spec.tier, capability=spec.capability, difficulty=call.difficulty)
        for call in logged
    ]
    costs = [usd_from_nusd(spec.expected_cost_nusd(call.prompt_tokens)) for call in logged]
    return Prospect(
        model_id=spec.model_id,
        tier=spec.tier,
        probs=np.array(probs),
        costs_usd=np.array(costs),
        evidence=pooled.get(spec.model_id),
        benchmarks=sum(spec.benchmarks.get(name) is not None for name in CAPABILITY_BENCHMARKS),
    )


def _quality_price(logged: Sequence[LoggedCall]) -> float:
    """Return the mean price of quality of the org's calls."""
    return fmean(
        [quality_price(call.optimize_for or normalise(None)) for call in logged]
        or [quality_price(normalise(None))]
    )


async def _table(store: Store, org: str, usage: Sequence[ModelUsage]) -> JudgeTable | None:
    """Return the table of the org's most asked judge; None where nobody judges."""
    judge = next((one.model_id for one in usage if one.kind == "judge"), None)
    if judge is None:
        return None
    return (await read_labels(org, store, DEFAULT_TABLE)).tables.get(judge, DEFAULT_TABLE)


def _judge_cost_usd(usage: Sequence[ModelUsage]) -> float:
    judges = [one for one in usage if one.kind == "judge"]
    total = sum(one.requests for one in judges)
    return sum(one.requests * one.mean_cost_usd for one in judges) / total if total else 0.0
