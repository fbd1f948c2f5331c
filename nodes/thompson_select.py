"""Choose the model to ask first."""

from dataclasses import replace

from ..routing.belief.drift import expectation
from ..routing.plan.affinity import begin
from ..routing.plan.decide import belief_strength, select
from ..routing.plan.policy import refuse
from ..state.working_memory import Change, Estimated, Selection, Transition
from .offers.beginning import beginning_of
from .offers.evidence import observed_by
from .org.memory import without_memories
from .services import Services


async def thompson_select(call: Estimated, services: Services) -> Change:
    """Draw how good each eligible arm may be, plan over the tiers, and take the best first action.

    Who may be drawn is narrowed to whom the caller, or the router, wants to begin with, and in a conversation to those
    as strong as the author of its newest answer.

    Raises
    ------
    NoEligibleModel
        When hard constraints leave nobody; nothing was spent.
    """
    situation, changed = await services.situations.of(call, services), Change()
    if not situation.offers().arms and (plain := without_memories(call)) is not call:
        # What the org's past adds must not be what a request fails by.
        call, changed = plain, Change(task=plain.task)
        if plain.recalled is not None:
            changed["recalled"] = plain.recalled
        situation = await services.situations.of(call, services)
    offers = situation.offers()
    author = services.conversations.author_in(call)
    unfit = {
        model_id: why for model_id, why in situation.unfit.items() if offers.removed.get(model_id) == why
    }
    beginning = beginning_of(call, situation.router, offers.arms, author, unfit)
    following = begin(offers.arms, beginning.start, author)
    if not following.arms:
        raise refuse(offers.removed | following.removed)
    observed = await observed_by(call, services)
    suspicions = {arm.model_id: services.checks.suspicion(call.org, arm.model_id) for arm in following.arms}
    terms = replace(situation.terms, suspicions=suspicions)
    decision, beliefs = select(following.arms, observed.combined, terms, services.rng)
    for why in (beginning.why, following.exception):
        if why is not None:
            decision = replace(decision, reason=f"{decision.reason}; {why}")
    chosen = decision.model_id
    prob = call.estimate.completion_probs[chosen]
    expected = expectation(prob, observed.cells.get(chosen), observed.pooled.get(chosen), services.learner)
    strengths = {
        arm.model_id: belief_strength(arm, observed.combined.get(arm.model_id), terms)
        for arm in following.arms
    }
    return changed | Change(
        selection=Selection(
            beliefs, offers.removed | following.removed, dict(situation.allowances), expected, strengths
        ),
        transitions=(Transition("start", decision.reason, decision),),
        answers=(),
    )
