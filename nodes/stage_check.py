"""Say how mature the org's learning is after this call."""

from ..routing.belief.stage import stage_of
from ..state.errors import CallFailed
from ..state.working_memory import Change, Logged
from .records.explanation import attempt_facts
from .services import Services


async def stage_check(call: Logged, services: Services) -> Change:
    """Derive the org's stage from its call count; raise the failure of a call that bought no answer.

    The failure is raised here, after learning and audit, because a call that failed is logged like any other.
    """
    services.situations.forget(call.org, call.call_id)
    if not call.bought:
        failure = call.answers[-1].failure
        attempts = [attempt_facts(attempt) for answer in call.answers for attempt in answer.attempts]
        last = "nobody was asked" if failure is None else failure.message
        message = f"no model answered; the last error was: {last}"
        raise CallFailed(message, attempts=attempts, call_id=call.call_id)
    return Change(stage=stage_of(call.call_count).to_json())
