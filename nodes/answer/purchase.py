"""Buy one answer of one model: what is sent, how long the answer may be, and the most that it can cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...providers.base import Completion
from ...providers.deltas import Sending
from ...routing.answer.plain_json import with_plain_json
from ...routing.plan.request import limit_named
from ...state.answers import Answer
from ...state.errors import Unsupported
from ...state.org_wishes import STORE, is_unstored
from ...state.types import TOKEN_LIMITS, JSONObject
from ...state.working_memory import Routed
from ..offers.situation import Situation
from ..records.attempts import Recording
from ..services import Services

_DEVELOPER = "developer"
"""OpenAI's newer name for the role "system"."""
MAY_BE_WORDED_ANEW = (*TOKEN_LIMITS, STORE, _DEVELOPER)
"""Parameters, and a role, that a model may refuse and be asked once more."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent to a model, and the most it can cost."""

    body: JSONObject
    limit: int
    """Most tokens the answer may have."""
    reserved_nusd: int
    reserved_tokens: int
    """Most tokens that prompt and answer can be counted as."""


async def buy(
    call: Routed,
    situation: Situation,
    services: Services,
    recording: Recording,
    sending: Sending | None = None,
) -> tuple[Order, Completion]:
    """Return an answer paid for before, or buy one.

    A model that calls the token limit otherwise, or has no word for `store: false` or the role "developer", is asked
    once more.

    Raises
    ------
    ProviderError
        When the model brings none.
    """
    order = _order(call, situation, services, recording)
    recording.reserved_nusd, recording.reserved_tokens = order.reserved_nusd, order.reserved_tokens
    recording.reserved_nusd = order.reserved_nusd
    hedged = services.limits.hedge if situation.policy.hedge is None else situation.policy.hedge
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
                sending=sending,
                own_keys=services.provider_keys.of(call.org),
                org=call.org,
                hedged=hedged,
            )
        except Unsupported as error:
            refused, order = order, _order(call, situation, services, recording)
            if error.parameter not in MAY_BE_WORDED_ANEW or order.body == refused.body:
                raise
            recording.reserved_nusd, recording.reserved_tokens = order.reserved_nusd, order.reserved_tokens
        else:
            return order, completion


def answered(
    asked: Answer, completion: Completion, options: Mapping[str, Any], *, is_cut_by_limit: bool
) -> Answer:
    """Return an answer with what was said, and where the request's `options` ask for JSON, with that alone.

    To pay another model for the same JSON without its fence would be dear; what was read while it was written stays.
    """
    likely = completion.logprobs
    plain = None if asked.pieces_sent or likely is not None else with_plain_json(completion.message, options)
    return replace(
        asked,
        message=plain or completion.message,
        was_unwrapped=plain is not None,
        finish_reason=completion.finish_reason,
        is_cut_by_limit=is_cut_by_limit,
        logprobs=None if likely is None else json.dumps(likely, ensure_ascii=False),
        service_tier=completion.service_tier,
        usage=completion.usage.to_openai() if completion.usage else {},
        latency_ms=round(completion.latency_ms, 3),
    )


def _order(call: Routed, situation: Situation, services: Services, recording: Recording) -> Order:
    """Return what to send; the answer is kept short enough for the caller's cap.

    A limit that nobody asked for and no cap needs is left out where the model takes none. So is `store: false` where
    its vendor has no such parameter, and so keeps nothing by it.
    """
    spec, extent, left_nusd = recording.spec, situation.extent, recording.left_nusd
    options = {name: value for name, value in call.options.items() if name not in TOKEN_LIMITS}
    if is_unstored(options) and services.fitness.refuses(spec.known_as, STORE, services.clock_s()):
        del options[STORE]
    messages = call.sent
    if services.fitness.refuses(spec.known_as, _DEVELOPER, services.clock_s(), call.org):
        messages = [
            {**message, "role": "system"} if message["role"] == _DEVELOPER else message
            for message in messages
        ]
    body: JSONObject = {**options, "messages": messages}
    wanted = TOKEN_LIMITS[call.options.get(TOKEN_LIMITS[1]) is not None]
    name = services.fitness.limit_name(spec.known_as, wanted, services.clock_s(), call.org)
    is_needed = left_nusd is not None or limit_named(call.options)
    if name is None and not is_needed:
        reserved = extent.reserve_unlimited(spec)
    else:
        reserved = extent.reserve(spec, left_nusd)
        body[name or wanted] = reserved.answer_tokens
    prompt_tokens = extent.prompt_bound.within(spec.context_tokens)
    tokens = prompt_tokens + reserved.answer_tokens + extent.extras.output_tokens
    return Order(body, reserved.answer_tokens, reserved.cost_nusd, tokens)
