"""Whether an answer may be read while it is written: only where nothing can come in its place."""

from ...providers.deltas import READER, Ending, Sending, Source
from ...providers.specs import ModelSpec
from ...routing.plan.finality import is_final
from ...routing.prompt.tokens import estimate_tokens
from ...state.answers import Answer
from ...state.types import JSONObject
from ...state.usage import Usage
from ...state.working_memory import Routed
from ..offers.situation import Situation
from ..services import Services
from .text import message_text


def sending_of(call: Routed, situation: Situation, services: Services, spec: ModelSpec) -> Sending | None:
    """Return the way of the next answer to its reader; None where nobody reads, or a better one could follow.

    Where an answer is held already, the better of the two is returned, so the second is not sent ahead.
    """
    reader = READER.get()
    if reader is None or call.bought:
        return None
    asked = {one.model_id for one in call.answers} | {spec.model_id}
    offers = situation.offers(call.spent_nusd, call.failed_models)
    others = [arm for arm in offers.arms if arm.model_id not in asked]
    left = call.opening.max_escalations - call.count("escalate")
    limits = services.limits
    belief = call.selection.beliefs.get(spec.model_id)
    bar = limits.stream_release_prob
    is_likely = bar < 1.0 and belief is not None and belief.mean >= bar
    if not is_likely and not is_final(spec.tier, others, situation.terms.strategy, left):
        return None

    def estimate(message: JSONObject) -> Usage:
        """Guess what was used of whose answer so far came."""
        said = estimate_tokens(message_text(message)) if message_text(message) else 0
        return Usage(max(1, call.task.prompt_tokens), said, is_estimate=True)

    source = Source(call.call_id, spec.model_id, spec.provider, spec.tier)
    return Sending(
        reader,
        source,
        estimate,
        first_token_s=limits.first_token_timeout_s,
        idle_s=limits.stream_idle_timeout_s,
        clock_s=services.clock_s,
    )


def pieces_of(sending: Sending | None) -> int:
    """Return how many pieces of an answer were sent."""
    return 0 if sending is None else sending.pieces


def tell_end(call: Routed, answer: Answer, sending: Sending | None, services: Services) -> None:
    """Tell the reader of an answer that it is whole."""
    if sending is None or not sending.pieces:
        return
    assert answer.finish_reason is not None
    first_s = max(0.0, sending.first_at_s - call.opening.started_monotonic_s)
    services.meter.observe("x25_first_token_seconds", (), first_s)
    cost_nusd = answer.spent_nusd("answer")
    sending.reader.end(Ending(answer.finish_reason, answer.usage, cost_nusd, answer.service_tier))
