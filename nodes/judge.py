"""Look at the answer: free checks first, then the judge where one was due; then choose the next move."""

from ..routing.answer.checks import run_checks
from ..routing.answer.verdict import from_checks, unjudged
from ..state.types import CascadeState
from .answer.judgement import ask_judge, can_pay_judge
from .answer.next_move import after_failure, after_verdict
from .answer.verification import look_at
from .offers.prices import refresh_tables
from .services import Services


async def judge(state: CascadeState, services: Services) -> CascadeState:
    """Give the newest answer a verdict; an answer that never came leads to a fallback instead."""
    if state["unanswered"] is not None:
        return after_failure(state, services)
    await refresh_tables(state, services)
    answer = state["held"][-1]
    theta = state["thetas"].get(answer["model_id"], state["completion_probs"][answer["model_id"]])
    report = run_checks(answer["message"], answer["finish_reason"], state["options"])
    attempts, glance = state["attempts"], None
    if report.failed is not None:
        verdict = from_checks(report, theta)
    else:
        glance = await look_at(state, services, theta)
        is_due = state["decision"]["judge"] if glance is None else glance.judge
        theta = theta if glance is None else glance.theta
        if is_due and can_pay_judge(state, services):
            verdict, made = await ask_judge(state, services, report, theta, glance)
            attempts = attempts + made
        else:
            verdict = unjudged(report, theta)
    judged = {
        **answer,
        "quality": verdict.posterior,
        "passed": report.failed is None,
        "predicted": state["completion_probs"][answer["model_id"]],
    }
    seen = CascadeState(
        attempts=attempts,
        held=[*state["held"][:-1], judged],
        verdicts=[
            *state["verdicts"],
            {
                **verdict.to_json(), "step": answer["step"], "model_id": answer["model_id"],
                "look": None if glance is None else glance.to_json(),
            },
        ],
    )  # fmt: skip
    qualities = [held["quality"] for held in seen["held"]]
    return seen | after_verdict(state | seen, services, verdict, qualities)
