"""The conditional edge after `lookup_cache`: answer with what was bought before, or go and buy an answer."""

from typing import Literal

from ..state.types import CascadeState


async def reuse(state: CascadeState) -> Literal["serve_hit", "classify"]:
    """Serve what the caches had; where they had nothing the call takes its way through the cascade.

    Asynchronous only because LangGraph sends a plain function through its thread pool.
    """
    return "classify" if state.get("hit") is None else "serve_hit"
