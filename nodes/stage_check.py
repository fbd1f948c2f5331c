"""Say how mature the org's learning is after this call."""

from ..routing.belief.stage import stage_of
from ..state.errors import CallFailed
from ..state.types import CascadeState
from .services import Services


async def stage_check(state: CascadeState, services: Services) -> CascadeState:  # noqa: ARG001 - every node has both
    """Derive the org's stage from its call count; raise the failure of a call that bought no answer.

    The failure is raised here, after learning and audit, because a call that failed is logged like any other.
    """
    failure = state.get("failure")
    if failure:
        raise CallFailed(failure["message"], attempts=state["attempts"], call_id=state["call_id"])
    return CascadeState(stage=stage_of(state["call_count"]).to_json())
