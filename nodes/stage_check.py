"""Say how mature the org's learning is after this call."""

from ..routing.belief.stage import stage_of
from ..state.working_memory import Change, Logged
from .answer.failure import call_failure
from .services import Services


async def stage_check(call: Logged, services: Services) -> Change:
    """Derive the org's stage from its call count; raise the failure of a call that bought no answer.

    The failure is raised here, after learning and audit, because a call that failed is logged like any other.
    """
    services.situations.forget(call.org, call.call_id)
    if not call.bought:
        raise call_failure(call)
    return Change(stage=stage_of(call.call_count).to_json())
