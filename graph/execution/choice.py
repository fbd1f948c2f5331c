"""Which executor a call runs on: the direct walk where nobody could tell the difference, else LangGraph's own."""

from langchain_core.callbacks import AsyncCallbackManager
from langchain_core.runnables.config import var_child_runnable_config

from ...state.errors import ConfigError
from ..build import RECURSION_LIMIT
from ..settings import Settings
from .walk import DirectWalk
from .walkable import CompiledGraph, Unwalkable


def direct_walk(compiled: CompiledGraph, settings: Settings) -> DirectWalk | None:
    """Return the direct walk of a graph where the settings allow one; None for LangGraph's executor.

    Raises
    ------
    ConfigError
        When `executor` is "direct" and it cannot be.
    """
    if settings.executor == "langgraph":
        return None
    reason = None
    if settings.checkpoints == "sync":
        reason = "X25_CHECKPOINTS=sync writes a checkpoint a node, which LangGraph's executor does"
    else:
        try:
            return DirectWalk(compiled, RECURSION_LIMIT)
        except Unwalkable as error:
            reason = str(error)
    if settings.executor == "direct":
        raise ConfigError(f"X25_EXECUTOR=direct is not possible: {reason}")
    return None


def is_watched() -> bool:
    """Return whether somebody follows a run begun here: a tracer, a callback, or a run that this one is a part of."""
    return var_child_runnable_config.get() is not None or bool(AsyncCallbackManager.configure().handlers)
