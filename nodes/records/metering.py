"""Count a call that was written down into the figures of the process."""

from ...state.meter import Meter
from ...state.records import Attempt, Call, usd_from_nusd
from ...state.working_memory import Learned


def count_call(call: Learned, row: Call, meter: Meter) -> None:
    """Count a call, what it took, and each request that it made."""
    meter.add("x25_calls", (row.status, row.tier or "none"))
    meter.observe("x25_call_seconds", (row.status,), row.latency_ms / 1e3)
    if row.escalations:
        meter.add("x25_escalations", (), row.escalations)
    if row.fallbacks:
        meter.add("x25_fallbacks", (), row.fallbacks)
    for answer in call.answers:
        for attempt in answer.attempts:
            _count_attempt(attempt, meter)


def tokens_of(call: Learned) -> int:
    """Return how many tokens the answers of a call took, prompts included."""
    return sum(
        one.prompt_tokens + one.completion_tokens
        for answer in call.answers
        for one in answer.attempts
        if one.kind == "answer"
    )


def count_hit(row: Call, meter: Meter) -> None:
    """Count a call that a kept answer served."""
    meter.add("x25_calls", (row.status, row.tier or "none"))
    meter.observe("x25_call_seconds", (row.status,), row.latency_ms / 1e3)
    meter.add("x25_cache_hits", (row.cache_type or "exact",))


def _count_attempt(attempt: Attempt, meter: Meter) -> None:
    model = attempt.model_id
    meter.add("x25_attempts", (model, attempt.error or attempt.status))
    spent = usd_from_nusd(attempt.spent_nusd)
    meter.add("x25_judge_cost_dollars" if attempt.kind == "judge" else "x25_cost_dollars", (model,), spent)
    if attempt.cost_source == "estimated":
        meter.add("x25_estimated_bills", (model,))
    if attempt.kind == "answer" and attempt.status == "finished":
        meter.add("x25_tokens", (model, "prompt"), attempt.prompt_tokens)
        meter.add("x25_tokens", (model, "completion"), attempt.completion_tokens)
