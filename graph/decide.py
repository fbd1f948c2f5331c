"""A decision alone: which model would be asked. The nodes of the cascade that decide do so, and nobody is asked."""

import asyncio
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..nodes.classify import classify
from ..nodes.estimate_difficulty import estimate_difficulty
from ..nodes.lookup_cache import lookup_cache
from ..nodes.offers.evidence import observed_by
from ..nodes.offers.situation import Situation, Situations
from ..nodes.org.rates import leave
from ..nodes.records.explanation import decision_facts
from ..nodes.records.log_row import digest, kept_prompt, prompt_text
from ..nodes.services import Services
from ..nodes.thompson_select import thompson_select
from ..routing.belief.spread import belief_sd
from ..routing.plan.decide import select_set
from ..routing.plan.sets import any_completes_prob
from ..state.audit.decisions import LoggedDecision
from ..state.records import usd_from_nusd
from ..state.types import DoorContext, JSONObject
from ..state.working_memory import Classified, Estimated, Opened, Routed
from .question import Question, config_for, request_of

Stage = TypeVar("Stage", bound=Opened)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it was logged."""

    logged: LoggedDecision
    removed: dict[str, str]
    """Model id to the constraint that removed it."""
    modality_preference: JSONObject
    """Which input modalities were preferred, and whether some model read them all, so that others were left out."""


async def decide(services: Services, question: Question, *, is_counted: bool = False) -> Decided:
    """Return which model the calling doors would ask first for the same request, pool and policy, and log it.

    Draws come from the same generator, so of two gateways in the same state one that decides and one that calls choose
    alike. No provider is asked, no budget is charged and nothing is learnt; one row and one entry are written.

    `is_counted` says that limits a minute were counted at the door.

    Raises
    ------
    TooManyRequests
        When the org has no room for it.
    InvalidRequest
        When a field breaks a rule; `Undecidable` where there is nothing to decide on or among.
    NoEligibleModel
        When hard constraints leave nobody; nothing is logged then.
    """
    request, config = request_of(question), config_for(question, services)
    name = request["router"]
    services = replace(
        services,
        caches=None,
        routers=ChainMap({name: config}, dict(services.routers)),
        situations=Situations(),
    )
    context = DoorContext(explain=False, is_counted=is_counted)
    opened = _grown(Opened, {}, await lookup_cache(request, services, context))
    try:
        return await _decided(opened, question, services)
    finally:
        await leave(opened, services)


async def _decided(opened: Opened, question: Question, services: Services) -> Decided:
    classified = _grown(Classified, opened, await classify(opened, services))
    estimated = _grown(Estimated, classified, await estimate_difficulty(classified, services))
    call = _grown(Routed, estimated, await thompson_select(estimated, services))
    situation = await services.situations.of(call, services)
    selected = await _selected(call, situation)
    decided = await _described(call, situation, services, selected)
    logged = _row(call, question.label, decided, services)
    entry = await services.store.decisions.record(logged, _record(call, question, selected))
    return Decided(
        replace(logged, record_hash=entry.record_hash),
        call.selection.removed,
        _modality_preference(situation, selected),
    )


def _grown(stage: type[Stage], call: Opened | Mapping[str, Any], change: Mapping[str, Any]) -> Stage:
    """Return a call at its next stage, as the graph's channels would hold it."""
    before = call if isinstance(call, Mapping) else vars(call)
    held = {**before, **change}
    return stage(**{name: held[name] for name in stage.__dataclass_fields__ if name in held})


async def _selected(call: Routed, situation: Situation) -> tuple[str, ...]:
    """Return the models to ask: the decision's, or several where the threshold rule may name them."""
    if situation.router.strategy != "threshold" or situation.router.max_k == 1:
        return (call.first_decision.model_id,)
    arms = situation.offers().arms
    # Thousands of sets are a tenth of a second: not on the event loop.
    return (await asyncio.to_thread(select_set, arms, situation.terms)).model_ids


async def _described(
    call: Routed, situation: Situation, services: Services, selected: tuple[str, ...]
) -> JSONObject:
    """Return what was selected, and each candidate with what is believed of it."""
    observed, strategy = await observed_by(call, services), situation.router.strategy
    candidates = []
    for arm in situation.arms:
        belief = call.selection.beliefs.get(arm.model_id)
        if belief is None:
            continue
        sd = belief_sd(arm, observed.combined.get(arm.model_id), strategy, services.learner)
        candidates.append(
            {
                "model_id": arm.model_id,
                "tier": arm.tier,
                "input_modalities": sorted(arm.modalities),
                "mu": round(belief.mean * arm.availability, 4),
                "sigma": round(sd * arm.availability, 4),
                "cost": usd_from_nusd(arm.expected_cost_nusd),
                "latency": round(arm.expected_latency_ms, 3),
            }
        )
    return {"selected": list(selected), "candidates": candidates}


def _row(call: Routed, label: str, decided: JSONObject, services: Services) -> LoggedDecision:
    chosen = [one for one in decided["candidates"] if one["model_id"] in decided["selected"]]
    return LoggedDecision(
        call_id=call.call_id,
        org=call.org,
        created_at=call.opening.started_at,
        config=label,
        task_type=call.task.type,
        task_cell=call.task.cell,
        expected_quality=round(any_completes_prob([one["mu"] for one in chosen]), 4),
        cost_nusd=sum(round(one["cost"] * 1e9) for one in chosen),
        latency_ms=max(one["latency"] for one in chosen),
        propensity=call.first_decision.propensity,
        facts={
            **decided,
            "task_source": call.task.source,
            "difficulty": call.estimate.value,
            "optimize_for": call.optimize_for,
            "decision": decision_facts(call),
        },
        user_id=call.opening.user_id,
        prompt=kept_prompt(call, services),
    )


def _record(call: Routed, question: Question, selected: tuple[str, ...]) -> JSONObject:
    """Return what the chain proves: who would have been asked, by which rule, with which probability."""
    first = call.first_decision
    return {
        "kind": "decision",
        "call_id": call.call_id,
        "at": call.opening.started_at.isoformat(),
        "task": {"type": call.task.type, "cell": call.task.cell, "source": call.task.source},
        "router": question.label,
        "overrides": {**question.knobs, **({} if question.models is None else {"models": list(question.models)})},
        "policy": call.policy,
        "optimize_for": call.optimize_for,
        "decision": {
            "model_id": first.model_id, "tier": first.tier, "propensity": first.propensity,
            "judge_prob": first.judge_prob, "explored": first.explored, "strategy": first.strategy,
        },
        "selected": list(selected),
        "prompt_sha256": digest(prompt_text(call)),
    }  # fmt: skip


def _modality_preference(situation: Situation, selected: tuple[str, ...]) -> JSONObject:
    wanted = situation.policy.prefer_modalities
    applied = bool(wanted) and all(wanted <= situation.specs[name].modalities for name in selected)
    return {"requested": sorted(wanted), "applied": applied}
