"""Buy an answer: reserve what it can cost, ask the decided model, settle."""

import json
from dataclasses import replace

from ..routing.answer.checks import says_nothing
from ..routing.plan.request import limit_named
from ..state.answers import Answer, Failure
from ..state.errors import NothingSaid, ProviderError
from ..state.working_memory import Change, Routed
from .answer.purchase import buy
from .records.attempts import Recording
from .services import Services


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
        order, completion = await buy(call, situation, services, recording)
    except ProviderError as error:
        return _added(call, replace(asked, attempts=recording.made, failure=_failure(error)))
    is_cut_by_limit = completion.finish_reason == "length" and order.limit < spec.max_output_tokens
    if is_cut_by_limit and says_nothing(completion.message) and not limit_named(call.options):
        # Whoever names a limit gets what fits in it; where nobody did, another model may need fewer.
        used = NothingSaid(f"{spec.model_id} used up {order.limit} tokens before it answered anything")
        return _added(call, replace(asked, attempts=recording.made, failure=_failure(used)))
    answer = replace(
        asked,
        attempts=recording.made,
        message=completion.message,
        finish_reason=completion.finish_reason,
        is_cut_by_limit=is_cut_by_limit,
        logprobs=None if completion.logprobs is None else json.dumps(completion.logprobs, ensure_ascii=False),
        service_tier=completion.service_tier,
        usage=completion.usage.to_openai() if completion.usage else {},
        latency_ms=round(completion.latency_ms, 3),
    )
    return _added(call, answer)


def _added(call: Routed, answer: Answer) -> Change:
    return Change(answers=(*call.answers, answer))


def _failure(error: ProviderError) -> Failure:
    return Failure(error.code, type(error).__name__, str(error), error.status, error.retry_after_s)
