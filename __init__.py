"""Routes every LLM call to the cheapest model that meets your quality bar, and learns from every call.

Importing `x25` loads the SDK alone: httpx and the standard library. `build_cascade` and `as_node` are fetched
from the gateway's rooms when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .client import (
    X25,
    AsyncX25,
    BudgetExceeded,
    GatewayError,
    GatewayTimeout,
    GatewayUnreachable,
    InvalidRequest,
    MalformedReply,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
    UpstreamFailed,
    X25Error,
    X25Response,
)

if TYPE_CHECKING:
    from .graph.build import build_cascade
    from .graph.subgraph import as_node

__all__ = [
    "X25",
    "AsyncX25",
    "BudgetExceeded",
    "GatewayError",
    "GatewayTimeout",
    "GatewayUnreachable",
    "InvalidRequest",
    "MalformedReply",
    "Overloaded",
    "QuotaExceeded",
    "RateLimited",
    "Unauthorized",
    "UpstreamFailed",
    "X25Error",
    "X25Response",
    "as_node",
    "build_cascade",
]

_NAME_TO_MODULE = {"build_cascade": ".graph.build", "as_node": ".graph.subgraph"}


def __getattr__(name: str) -> Any:
    if name not in _NAME_TO_MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(_NAME_TO_MODULE[name], __name__)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == __name__:
            raise
        raise ImportError(
            f"x25.{name} needs {error.name!r}, part of the gateway: pip install 'x25[gateway]'",
            name=error.name,
        ) from error
    return getattr(module, name)
