"""What to do after an answer was looked at, or after none came: shared wiring around `routing.plan.decide.proceed`."""

from collections.abc import Sequence

from ...routing.plan.decide import proceed
from ...routing.plan.terms import Progress
from ...state.answers import Answer, Failure
from ...state.errors import (
    AttemptInterrupted,
    BreakerOpen,
    ContextLengthExceeded,
    MalformedRequest,
    OverBudget,
    ProviderBadRequest,
    ReaderLeft,
)
from ...state.records import Arm
from ...state.types import TIERS
from ...state.working_memory import Routed, Transition
from ..offers.situation import Situation
from ..services import Services

MAX_FALLBACKS = 5
"""Models asked after failures in one call; with at most five escalations this keeps a call within its supersteps."""
MAX_SHUT = 5
"""Models whose open breaker does not count among them."""
_ENDS_THE_CALL = (MalformedRequest.code, AttemptInterrupted.code, ReaderLeft.code)


def after_verdict(call: Routed, situation: Situation, services: Services) -> Transition:
    """Return what follows a verdict: climb to a dearer tier where that pays, else stop."""
    answer = call.answers[-1]
    assert answer.verdict is not None
    if answer.is_cut_by_limit:
        return Transition(
            "stop", "stop: cut off at the limit on an answer's tokens, where any model's would be"
        )
    if answer.pieces_sent:
        return Transition("stop", "stop: the answer was sent while it was written")
    belief, left = answer.verdict.belief, call.opening.max_escalations - call.count("escalate")
    asked = {one.model_id for one in call.answers}
    arms = [
        arm for arm in situation.offers(call.spent_nusd, call.failed_models).arms if arm.model_id not in asked
    ]
    score = answer.verdict.score if _is_evidence(answer, call.org, services) else None
    decision = proceed(arms, _progress(call, left, answer, score), situation.terms)
    if decision is not None:
        reason = f"escalate from {answer.tier}: quality {belief.theta:.2f}"
        return Transition("escalate", reason, decision)
    if left < 1:
        return Transition("stop", "stop: no escalation left")
    return Transition("stop", f"stop: quality {belief.theta:.2f}, and no other model is worth its price")


def _is_evidence(answer: Answer, org: str, services: Services) -> bool:
    """Return whether a score may make the call climb: a guess may not, nor a judge too weak to be trusted."""
    assert answer.verdict is not None
    if answer.verdict.source != "judge":
        return answer.verdict.source != "estimate"
    return services.table_of(org, answer.verdict.observation.judge_model).is_trusted


def after_failure(call: Routed, situation: Situation) -> Transition:
    """Return what follows a model that brought no answer: another one, as strong or stronger where there is one.

    A request that one vendor refuses without saying why is put to one other model, of another vendor where there is
    one: when that refuses it too, the request is at fault.
    """
    failure = call.answers[-1].failure
    assert failure is not None
    if call.answers[-1].pieces_sent:
        return Transition("stop", f"stop: a part of the answer was sent before {failure.code}")
    if failure.code in _ENDS_THE_CALL or _asked_in_vain(call) >= MAX_FALLBACKS or _is_confirmed(call):
        return Transition("stop", f"no other model to ask after {failure.code}")
    decision = proceed(_after(failure, call, situation), _progress(call, 1), situation.terms)
    if decision is None:
        return Transition("stop", f"no other model to ask after {failure.code}")
    return Transition("fallback", f"fall back from {call.decision.model_id}: {failure.code}", decision)


def _after(failure: Failure, call: Routed, situation: Situation) -> Sequence[Arm]:
    arms: Sequence[Arm] = situation.offers(call.spent_nusd, call.failed_models).arms
    if failure.code == OverBudget.code:
        # Other calls were faster to spend; an answer bought is enough, and without one the cheapest model must do.
        return [] if call.bought else sorted(arms, key=lambda arm: arm.expected_cost_nusd)[:1]
    if failure.code == ProviderBadRequest.code:
        arms = [arm for arm in arms if arm.provider != call.answers[-1].provider] or arms
    if failure.code == ContextLengthExceeded.code:
        # A window as large would be as full. What a deployment took less than its model's may fit elsewhere, though.
        window = situation.specs[call.decision.model_id].context_tokens
        arms = [arm for arm in arms if arm.context_tokens > window] or arms
    rank = TIERS.index(call.decision.tier)
    return [arm for arm in arms if arm.rank >= rank] or arms


def _asked_in_vain(call: Routed) -> int:
    """Return how many models were fallen back to; one whose breaker was open was not asked and took no time."""
    shut = sum(one.failure is not None and one.failure.code == BreakerOpen.code for one in call.answers)
    return call.count("fallback") - min(shut, MAX_SHUT)


def _is_confirmed(call: Routed) -> bool:
    """Return whether a second model refused the request as well."""
    refusals = [one for one in call.answers if one.failure and one.failure.code == ProviderBadRequest.code]
    return len(refusals) > 1


def _progress(call: Routed, left: int, last: Answer | None = None, score: float | None = None) -> Progress:
    return Progress(
        thetas={name: belief.theta for name, belief in call.selection.beliefs.items()},
        answer_beliefs=[answer.verdict.belief.theta for answer in call.bought if answer.verdict is not None],
        last_tier=None if last is None else last.tier,
        is_unusable=last is not None and last.verdict is not None and last.verdict.failed_check is not None,
        last_score=score,
        escalations_left=left,
    )
