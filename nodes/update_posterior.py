"""Learn from what was looked at."""

from ..state.types import CascadeState
from .services import Services


async def update_posterior(state: CascadeState, services: Services) -> CascadeState:
    """Add one piece of evidence for each answer somebody looked at; nothing is learnt from an unknown quality.

    Every looked-at answer moves the counts of its own arm (alpha += score, beta += 1 - score). Only the first answer
    of a call moves the sums that selection reads: later ones are asked mostly after failures and would bias it.
    """
    seen = [verdict for verdict in state["verdicts"] if verdict["bin"] is not None]
    if not seen:
        return CascadeState(learned=[])
    call_count = await services.store.orgs.call_count(state["org"])
    weights = services.judge_table.reward_weights()
    learned = []
    for verdict in seen:
        first = verdict["step"] == 0 and verdict["model_id"] == state["first_decision"]["model_id"]
        held = state["held"][verdict["step"]]
        evidence = {
            "task_cell": state["task_cell"],
            "model_id": verdict["model_id"],
            "tier": held["tier"],
            "success": verdict["score"],
            "failure": 1.0 - verdict["score"],
            "selection": (float(weights[verdict["bin"]]), held["predicted"]) if first else None,
        }
        await services.store.posteriors.add_evidence(
            state["org"], state["call_id"], verdict["step"], **evidence,
            org_calls=call_count, gamma=services.learner.gamma,
        )  # fmt: skip
        learned.append({**evidence, "selection": list(evidence["selection"]) if first else None})
    return CascadeState(learned=learned)
