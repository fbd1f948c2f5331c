"""Buy an answer: reserve what it can cost, ask the decided model, settle."""

from dataclasses import dataclass, replace

from ..providers.base import Completion
from ..providers.fitness import TOKEN_LIMITS
from ..state.answers import Answer, Failure
from ..state.errors import ProviderError, Unsupported
from ..state.types import JSONObject
from ..state.working_memory import Change, Routed
from .offers.situation import Situation
from .records.attempts import Recording
from .services import Services


@dataclass(frozen=True, slots=True)
class _Order:
    """What is sent to a model, and the most it can cost."""

    body: JSONObject
    limit: int
    """Most tokens the answer may have."""
    reserved_nusd: int


async def dispatch(call: Routed, services: Services) -> Change:
    """Ask the decided model for an answer; what went wrong is kept as the answer's failure, for the next move."""
    situation = await services.situations.of(call, services)
    spec = situation.specs[call.decision.model_id]
    left_nusd = situation.left_nusd(call.spent_nusd)
    offers = situation.offers(call.spent_nusd, call.failed_models)
    recording = Recording(
        services, call.org, call.call_id, len(call.answers), "answer", spec, reserved_nusd=0,
        left_nusd=left_nusd, charge=situation.charge(offers, spec.model_id),
    )  # fmt: skip
    asked = Answer(
        step=recording.step,
        model_id=spec.model_id,
        provider=spec.provider,
        tier=spec.tier,
        simulated=spec.simulated,
        predicted_prob=call.estimate.completion_probs[spec.model_id],
    )
    try:
        order, completion = await _buy(call, situation, services, recording)
    except ProviderError as error:
        return _added(call, replace(asked, attempts=recording.made, failure=_failure(error)))
    answer = replace(
        asked,
        attempts=recording.made,
        message=completion.message,
        finish_reason=completion.finish_reason,
        is_cut_by_limit=completion.finish_reason == "length" and order.limit < spec.max_output_tokens,
        service_tier=completion.service_tier,
        usage=completion.usage.to_openai() if completion.usage else {},
        latency_ms=round(completion.latency_ms, 3),
    )
    return _added(call, answer)


async def _buy(
    call: Routed, situation: Situation, services: Services, recording: Recording
) -> tuple[_Order, Completion]:
    """Return an answer paid for before, or buy one; a model that calls the token limit otherwise is asked once more."""
    order = _order(call, situation, services, recording)
    recording.reserved_nusd = order.reserved_nusd
    paid = await recording.paid_before() if services.limits.resumable else None
    if paid is not None:
        return order, paid
    while True:
        try:
            completion = await services.gateway.complete(
                recording.spec,
                order.body,
                record=recording,
                timeout_s=services.limits.attempt_timeout_s,
                deadline_s=call.opening.started_monotonic_s + services.limits.call_deadline_s,
            )
        except Unsupported as error:
            refused, order = order, _order(call, situation, services, recording)
            if error.parameter not in TOKEN_LIMITS or order.body == refused.body:
                raise
            recording.reserved_nusd = order.reserved_nusd
        else:
            return order, completion


def _added(call: Routed, answer: Answer) -> Change:
    return Change(answers=(*call.answers, answer))


def _order(call: Routed, situation: Situation, services: Services, recording: Recording) -> _Order:
    """Return what to send; the answer is kept short enough for the caller's cap.

    A limit that nobody asked for and no cap needs is left out where the model takes none.
    """
    spec, bound, left_nusd = recording.spec, situation.bound_prompt_tokens, recording.left_nusd
    limit = min(situation.answer_tokens, spec.max_output_tokens)
    if left_nusd is not None:
        limit = spec.affordable_tokens(left_nusd, bound, limit)
    options = {name: value for name, value in call.options.items() if name not in TOKEN_LIMITS}
    body: JSONObject = {**options, "messages": call.messages}
    wanted = TOKEN_LIMITS[call.options.get(TOKEN_LIMITS[1]) is not None]
    name = services.fitness.limit_name(spec.model_id, wanted, services.clock_s())
    is_needed = left_nusd is not None or any(call.options.get(one) is not None for one in TOKEN_LIMITS)
    if name is None and not is_needed:
        limit = spec.max_output_tokens
    else:
        body[name or wanted] = limit
    reserved_nusd = spec.bound_cost_nusd(bound, limit, call.options.get("service_tier"))
    return _Order(body, limit, reserved_nusd)


def _failure(error: ProviderError) -> Failure:
    return Failure(error.code, type(error).__name__, str(error), error.status, error.retry_after_s)
