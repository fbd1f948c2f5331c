"""Buy an answer: reserve what it can cost, ask the decided model, settle."""

from dataclasses import replace

from ..routing.answer.checks import says_nothing
from ..routing.plan.request import limit_named
from ..state.answers import Answer
from ..state.errors import NothingSaid, ProviderError
from ..state.working_memory import Change, Routed
from .answer.failure import failure_of
from .answer.purchase import answered, buy
from .answer.straight import pieces_of, sending_of, tell_end
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
        keeps_words=call.opening.wishes.keeps_words,
    )  # fmt: skip
    asked = Answer(
        step=recording.step,
        model_id=spec.model_id,
        provider=spec.provider,
        tier=spec.tier,
        simulated=spec.simulated,
        predicted_prob=call.estimate.completion_probs[spec.model_id],
    )
    sending = sending_of(call, situation, services, spec)
    try:
        order, completion = await buy(call, situation, services, recording, sending)
    except ProviderError as error:
        asked = replace(asked, pieces_sent=pieces_of(sending))
        return _added(call, replace(asked, attempts=recording.made, failure=failure_of(error)))
    asked = replace(asked, attempts=recording.made, pieces_sent=pieces_of(sending))
    is_cut_by_limit = completion.finish_reason == "length" and order.limit < spec.max_output_tokens
    is_empty = is_cut_by_limit and not asked.pieces_sent and says_nothing(completion.message)
    if is_empty and not limit_named(call.options):
        # Whoever names a limit gets what fits in it; where nobody did, another model may need fewer.
        used = NothingSaid(f"{spec.model_id} used up {order.limit} tokens before it answered anything")
        return _added(call, replace(asked, failure=failure_of(used)))
    answer = answered(asked, completion, call.options, is_cut_by_limit=is_cut_by_limit)
    tell_end(call, answer, sending, services)
    return _added(call, answer)


def _added(call: Routed, answer: Answer) -> Change:
    return Change(answers=(*call.answers, answer))
