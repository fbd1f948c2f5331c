"""Choose the model to ask first."""

from ..routing.belief.drift import baseline
from ..routing.belief.thompson import combine
from ..routing.plan.decide import select
from ..routing.plan.policy import Policy, refuse
from ..state.types import CascadeState
from .offers.budgets import read_paces
from .offers.candidates import eligible_arms
from .offers.prices import judge_table, plan_prices, reference_cost_nusd, refresh_tables
from .services import Services


async def thompson_select(state: CascadeState, services: Services) -> CascadeState:
    """Draw how good each eligible arm may be, plan over the tiers, and take the best first move.

    Raises
    ------
    NoEligibleModel
        When hard constraints leave nobody; nothing was spent.
    """
    paces = await read_paces(state, services)
    arms, removed = eligible_arms(state, services, paces)
    if not arms:
        raise refuse(removed)
    router = services.routers[state["router"]]
    await refresh_tables(state, services)
    judged_share = Policy.parse(state["policy"]).judged_share
    cells, pooled = await services.store.posteriors.read_levels(state["org"], state["task_cell"])
    decision, thetas = select(
        arms,
        combine(cells, pooled, services.learner),
        strategy=router.strategy,
        prices=plan_prices(state, services, paces),
        reference_cost_nusd=reference_cost_nusd(state, services),
        reference_latency_ms=services.reference_for(state["router"]).expected_latency_ms,
        table=judge_table(state, services),
        rng=services.rng,
        learner=services.learner,
        epsilon=router.epsilon,
        audit_rate=router.audit_rate if judged_share is None else judged_share,
        max_escalations=state["max_escalations"],
        rule=router.rule,
    )
    chosen = decision.model_id
    expected = baseline(state["completion_probs"][chosen], cells.get(chosen), services.learner)
    first = decision.to_json() | {"baseline_prob": expected, "paces": paces}
    return CascadeState(decision=first, first_decision=first, thetas=thetas, removed=removed)
