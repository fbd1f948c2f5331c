"""Choose the model to ask first."""

from ..routing.decide import select
from ..routing.policy import refuse
from ..state.types import CascadeState
from .candidates import eligible_arms
from .pricing import judge_table, plan_prices, reference_cost_nusd
from .services import Services


async def thompson_select(state: CascadeState, services: Services) -> CascadeState:
    """Draw how good each eligible arm may be, plan over the tiers, and take the best first move.

    Raises
    ------
    NoEligibleModel
        When hard constraints leave nobody; nothing was spent.
    """
    arms, removed = eligible_arms(state, services)
    if not arms:
        raise refuse(removed)
    router = services.routers[state["router"]]
    evidence = await services.store.posteriors.read(state["org"], state["task_cell"])
    decision, thetas = select(
        arms,
        evidence,
        strategy=router.strategy,
        prices=plan_prices(state, services),
        reference_cost_nusd=reference_cost_nusd(state, services),
        reference_latency_ms=services.reference_for(state["router"]).expected_latency_ms,
        table=judge_table(services),
        rng=services.rng,
        learner=services.learner,
        epsilon=router.epsilon,
        audit_rate=router.audit_rate,
        max_escalations=state["max_escalations"],
    )
    return CascadeState(
        decision=decision.to_json(), first_decision=decision.to_json(), thetas=thetas, removed=removed
    )
