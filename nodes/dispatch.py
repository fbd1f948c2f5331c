"""Buy an answer: reserve what it can cost, ask the decided model, settle."""

from ..providers.base import Completion
from ..routing.plan.request import answer_tokens
from ..routing.prompt.tokens import bound_prompt_tokens
from ..state.errors import ProviderError
from ..state.types import CascadeState, JSONObject
from .offers.candidates import charge_of, left_nusd
from .records.attempts import Recording, summary
from .services import Services


async def dispatch(state: CascadeState, services: Services) -> CascadeState:
    """Ask the decided model for an answer; what went wrong is left in `unanswered` for the next move."""
    body, reserved_nusd = _prepare(state, services)
    spec = services.spec(state["decision"]["model_id"])
    recording = Recording(
        services, state["org"], state["call_id"], len(state["held"]), "answer", spec, reserved_nusd,
        first_number=sum(one["kind"] == "answer" and one["step"] == len(state["held"]) for one in state["attempts"]),
        left_nusd=left_nusd(state), charge=charge_of(state, services, spec.model_id),
    )  # fmt: skip
    try:
        paid = await recording.paid_before(state["attempts"]) if services.limits.resumable else None
        completion = paid or await services.gateway.complete(
            spec,
            body,
            record=recording,
            timeout_s=services.limits.attempt_timeout_s,
            deadline_s=state["started_monotonic_s"] + services.limits.call_deadline_s,
        )
    except ProviderError as error:
        return CascadeState(
            attempts=state["attempts"] + recording.to_json(),
            failed_models=[*state["failed_models"], spec.model_id],
            unanswered={"code": error.code, "message": str(error)},
        )
    return CascadeState(
        attempts=state["attempts"] + recording.to_json(),
        held=[*state["held"], _held(completion, recording)],
        unanswered=None,
    )


def _prepare(state: CascadeState, services: Services) -> tuple[JSONObject, int]:
    """Return the body to send and the most it can cost; the answer is kept short enough for the caller's cap."""
    spec = services.spec(state["decision"]["model_id"])
    bound = bound_prompt_tokens(state["messages"], state["options"])
    limit = answer_tokens(state["options"], services.limits.default_max_output_tokens, spec.max_output_tokens)
    left = left_nusd(state)
    if left is not None:
        limit = spec.affordable_tokens(left, bound, limit)
    name = "max_completion_tokens" if "max_completion_tokens" in state["options"] else "max_tokens"
    body = {**state["options"], "messages": state["messages"], name: limit}
    return body, spec.bound_cost_nusd(bound, limit)


def _held(completion: Completion, recording: Recording) -> JSONObject:
    """Return the answer as it is held in working memory."""
    attempt = recording.settled[-1]
    return {
        "step": recording.step,
        "model_id": recording.spec.model_id,
        "tier": recording.spec.tier,
        "provider": recording.spec.provider,
        "simulated": recording.spec.simulated,
        "message": completion.message,
        "finish_reason": completion.finish_reason,
        "usage": completion.usage.to_openai() if completion.usage else {},
        "latency_ms": round(completion.latency_ms, 3),
        "attempt": summary(attempt)["attempt_id"],
    }
