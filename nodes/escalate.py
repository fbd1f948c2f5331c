"""The conditional edge after `judge`: ask once more, or learn from what was bought."""

from typing import Literal

from ..state.types import CascadeState

GOES_ON = ("escalate", "fallback")
"""Transitions after which somebody is asked: a dearer model, or another one after a failure."""


async def escalate(state: CascadeState) -> Literal["dispatch", "update_posterior"]:
    """Go back to `dispatch` when a better answer is worth its price, or when none came and another model may give one.

    Asynchronous only because LangGraph sends a plain function through its thread pool.
    """
    return "dispatch" if state["transitions"][-1]["kind"] in GOES_ON else "update_posterior"
