"""Bounds on a chain of calls: obeyed where somebody counts the calls, refused by name elsewhere."""

from collections.abc import Mapping
from contextvars import ContextVar

from ...state.errors import InvalidRequest
from ...state.types import Request

BOUNDS = ("max_chain_steps", "chain_timeout_s")
COUNTS_STEPS: ContextVar[bool] = ContextVar("x25_counts_steps", default=False)
"""Whether the call under way came by a door that counts the steps of chains."""


def require_counted(request: Request) -> None:
    """Raise InvalidRequest for a bound that nobody would hold."""
    said = request.get("routing_hints")
    if not isinstance(said, Mapping) or COUNTS_STEPS.get():
        return
    for name in BOUNDS:
        if said.get(name) is not None:
            field = f"routing_hints.{name}"
            raise InvalidRequest(
                f"{field}: steps are counted by a gateway and Cascade.route alone", field=field
            )
