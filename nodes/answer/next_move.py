"""What to do after an answer was looked at, or after none came: shared wiring around `routing.plan.decide.proceed`."""

from ...routing.answer.verdict import Verdict
from ...routing.plan.decide import Decision, proceed
from ...state.errors import OverBudget
from ...state.records import Arm
from ...state.types import TIERS, CascadeState
from ..offers.budgets import paces_of
from ..offers.candidates import eligible_arms
from ..offers.prices import judge_table, plan_prices, reference_cost_nusd, table_of
from ..services import Services

MAX_FALLBACKS = 5
"""Models asked after failures in one call; with at most five escalations this keeps a call within its supersteps."""


def after_verdict(
    state: CascadeState, services: Services, verdict: Verdict, qualities: list[float]
) -> CascadeState:
    """Return the move after a verdict: climb to a dearer tier where that pays, else stop."""
    left = state["max_escalations"] - state["escalations"]
    arms, _ = eligible_arms(state, services, paces_of(state))
    last_tier = state["held"][-1]["tier"]
    # A guess is no reason to climb, nor is the score of a judge too weak to be trusted.
    is_guess = verdict.source == "estimate" or (
        verdict.source == "judge" and not table_of(state, services, verdict.judge_model).is_trusted
    )
    seen_score = None if is_guess else verdict.score
    decision = _next(state, services, arms, qualities, last_tier=last_tier, score=seen_score, left=left)
    if decision is None:
        return CascadeState(move="stop", move_reason=_why_stop(verdict, left))
    return CascadeState(
        move="escalate",
        move_reason=f"escalate from {last_tier}: quality {verdict.posterior:.2f}",
        decision=decision.to_json(),
        escalations=state["escalations"] + 1,
    )


def after_failure(state: CascadeState, services: Services) -> CascadeState:
    """Return the move after a model could not be reached: another one, as strong or stronger where there is one."""
    unanswered = state["unanswered"] or {}
    arms, _ = eligible_arms(state, services, paces_of(state))
    if unanswered.get("code") == OverBudget.code:
        # Other calls were faster to spend; an answer held is enough, and without one the cheapest model must do.
        arms = [] if state["held"] else sorted(arms, key=lambda arm: arm.expected_cost_nusd)[:1]
    else:
        rank = TIERS.index(state["decision"]["tier"])
        arms = [arm for arm in arms if arm.rank >= rank] or arms
    decision = None
    if unanswered.get("code") not in ("bad_request", "interrupted") and state["fallbacks"] < MAX_FALLBACKS:
        qualities = [held["quality"] for held in state["held"]]
        decision = _next(state, services, arms, qualities, last_tier=None, score=None, left=1)
    if decision is not None:
        return CascadeState(
            move="escalate",
            move_reason=f"fall back from {state['decision']['model_id']}: {unanswered.get('code')}",
            decision=decision.to_json(),
            fallbacks=state["fallbacks"] + 1,
        )
    stop = CascadeState(move="stop", move_reason=f"no other model to ask after {unanswered.get('code')}")
    if not state["held"]:
        stop["failure"] = {
            "code": unanswered.get("code", ""),
            "message": f"no model answered; the last error was: {unanswered.get('message')}",
        }
    return stop


def _next(  # noqa: PLR0913 - the plan's situation, named
    state: CascadeState,
    services: Services,
    arms: list[Arm],
    qualities: list[float],
    *,
    last_tier: str | None,
    score: float | None,
    left: int,
) -> Decision | None:
    router = services.routers[state["router"]]
    return proceed(
        arms,
        state["thetas"],
        qualities,
        strategy=router.strategy,
        last_tier=last_tier,
        last_score=score,
        prices=plan_prices(state, services, paces_of(state)),
        reference_cost_nusd=reference_cost_nusd(state, services),
        reference_latency_ms=services.reference_for(state["router"]).expected_latency_ms,
        table=judge_table(state, services),
        bar=router.quality_bar,
        escalations_left=left,
        rule=router.rule,
    )


def _why_stop(verdict: Verdict, left: int) -> str:
    if left < 1:
        return "stop: no escalation left"
    return f"stop: quality {verdict.posterior:.2f}, and nothing dearer is worth its price"
