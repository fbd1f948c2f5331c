"""Buy an answer: reserve what it can cost, ask the decided model, settle."""

from dataclasses import replace

from ..providers.specs import ModelSpec
from ..state.answers import Answer, Failure
from ..state.errors import ProviderError
from ..state.types import JSONObject
from ..state.working_memory import Change, Routed
from .offers.situation import Situation
from .records.attempts import Recording
from .services import Services


async def dispatch(call: Routed, services: Services) -> Change:
    """Ask the decided model for an answer; what went wrong is kept as the answer's failure, for the next move."""
    situation = await services.situations.of(call, services)
    spec = situation.specs[call.decision.model_id]
    left_nusd = situation.left_nusd(call.spent_nusd)
    body, reserved_nusd = _body(call, situation, spec, left_nusd)
    offers = situation.offers(call.spent_nusd, call.failed_models)
    recording = Recording(
        services, call.org, call.call_id, len(call.answers), "answer", spec, reserved_nusd,
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
        paid = await recording.paid_before() if services.limits.resumable else None
        completion = paid or await services.gateway.complete(
            spec,
            body,
            record=recording,
            timeout_s=services.limits.attempt_timeout_s,
            deadline_s=call.opening.started_monotonic_s + services.limits.call_deadline_s,
        )
    except ProviderError as error:
        return _added(call, replace(asked, attempts=recording.made, failure=_failure(error)))
    answer = replace(
        asked,
        attempts=recording.made,
        message=completion.message,
        finish_reason=completion.finish_reason,
        usage=completion.usage.to_openai() if completion.usage else {},
        latency_ms=round(completion.latency_ms, 3),
    )
    return _added(call, answer)


def _added(call: Routed, answer: Answer) -> Change:
    return Change(answers=(*call.answers, answer))


def _body(
    call: Routed, situation: Situation, spec: ModelSpec, left_nusd: int | None
) -> tuple[JSONObject, int]:
    """Return the body to send and the most it can cost; the answer is kept short enough for the caller's cap."""
    bound = situation.bound_prompt_tokens
    limit = min(situation.answer_tokens, spec.max_output_tokens)
    if left_nusd is not None:
        limit = spec.affordable_tokens(left_nusd, bound, limit)
    name = "max_completion_tokens" if "max_completion_tokens" in call.options else "max_tokens"
    return {**call.options, "messages": call.messages, name: limit}, spec.bound_cost_nusd(bound, limit)


def _failure(error: ProviderError) -> Failure:
    return Failure(error.code, type(error).__name__, str(error), error.status, error.retry_after_s)
