"""The conditional edge after `judge`: climb, or learn from what was bought."""

from typing import Literal

from ..state.types import CascadeState


async def escalate(state: CascadeState) -> Literal["dispatch", "update_posterior"]:
    """Go back to `dispatch` when the answers so far are not good enough and a better one is worth its price.

    Asynchronous only because LangGraph sends a plain function through its thread pool.
    """
    return "dispatch" if state["move"] == "escalate" else "update_posterior"
