"""Choose the model to ask first."""

from dataclasses import replace

from ..routing.belief.drift import expectation
from ..routing.belief.thompson import combine
from ..routing.plan.affinity import follow_up
from ..routing.plan.decide import select
from ..routing.plan.policy import refuse
from ..state.working_memory import Change, Estimated, Selection, Transition
from .services import Services


async def thompson_select(call: Estimated, services: Services) -> Change:
    """Draw how good each eligible arm may be, plan over the tiers, and take the best first action.

    Models weaker than the one whose answer a conversation builds on are not eligible where others are.

    Raises
    ------
    NoEligibleModel
        When hard constraints leave nobody; nothing was spent.
    """
    situation = await services.situations.of(call, services)
    offers, learner = situation.offers(), services.learner
    if not offers.arms:
        raise refuse(offers.removed)
    cells, pooled = await services.store.posteriors.read_levels(call.org, call.task.cell)
    org_calls = 0
    if any(one.drifts for one in pooled.values()):
        org_calls = await services.store.orgs.call_count(call.org)
    evidence = combine(cells, pooled, learner, org_calls)
    following = follow_up(offers.arms, services.conversations.author(call.org, call.messages))
    suspicions = {arm.model_id: services.checks.suspicion(call.org, arm.model_id) for arm in following.arms}
    terms = replace(situation.terms, suspicions=suspicions)
    decision, beliefs = select(following.arms, evidence, terms, services.rng)
    if following.exception is not None:
        decision = replace(decision, reason=f"{decision.reason}; {following.exception}")
    chosen = decision.model_id
    prob = call.estimate.completion_probs[chosen]
    expected = expectation(prob, cells.get(chosen), pooled.get(chosen), learner)
    return Change(
        selection=Selection(
            beliefs, offers.removed | following.removed, dict(situation.allowances), expected
        ),
        transitions=(Transition("start", decision.reason, decision),),
        answers=(),
    )
