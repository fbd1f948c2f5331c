"""Whether a call remembers: what the request wishes, over what its org settled, within what the gateway allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...state.complaints import nearest_key
from ...state.errors import InvalidRequest

DEFAULT_BUDGET_TOKENS = 512
MOST_BUDGET_TOKENS = 16_384
_FIELDS = ("enabled", "budget_tokens")


@dataclass(frozen=True, slots=True)
class MemoryWish:
    """What one request says; None = what the org settled."""

    enabled: bool | None = None
    budget_tokens: int | None = None
    """Most tokens that may be added to the request."""


@dataclass(frozen=True, slots=True)
class MemorySetting:
    """What an org settled: whether its calls remember, by default."""

    enabled: bool = False
    budget_tokens: int = DEFAULT_BUDGET_TOKENS
    keep_days: float | None = None
    """Days that what was said is kept; None = as long as the gateway keeps it."""


def check_memory(wish: object, field: str = "memory") -> MemoryWish | None:
    """Return what a request says of memory; None where it says nothing.

    Raises
    ------
    InvalidRequest
        Naming the part that is wrong.
    """
    if wish is None:
        return None
    if not isinstance(wish, Mapping):
        raise InvalidRequest(
            f'{field} must be an object such as {{"enabled": true}}, got {type(wish).__name__}', field=field
        )
    for name in wish:
        if name not in _FIELDS:
            hint = nearest_key(str(name), _FIELDS)
            raise InvalidRequest(
                f"{field}.{str(name)[:100]} is not known; {hint}", field=f"{field}.{str(name)[:100]}"
            )
    enabled = wish.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise InvalidRequest(
            f"{field}.enabled must be true or false, got {enabled!r}"[:300], field=f"{field}.enabled"
        )
    return MemoryWish(enabled, check_budget(wish.get("budget_tokens"), f"{field}.budget_tokens"))


def check_budget(tokens: Any, field: str) -> int | None:
    """Return a budget of tokens; None for none.

    Raises
    ------
    InvalidRequest
        Unless it is a whole number from 0 to `MOST_BUDGET_TOKENS`.
    """
    if tokens is None:
        return None
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 0 <= tokens <= MOST_BUDGET_TOKENS:
        raise InvalidRequest(
            f"{field} must be a whole number from 0 to {MOST_BUDGET_TOKENS}, got {tokens!r}"[:300],
            field=field,
        )
    return tokens


def budget_of(wish: MemoryWish | None, setting: MemorySetting) -> int | None:
    """Return how many tokens may be added to a call; None where it remembers nothing."""
    enabled = setting.enabled if wish is None or wish.enabled is None else wish.enabled
    if not enabled:
        return None
    return setting.budget_tokens if wish is None or wish.budget_tokens is None else wish.budget_tokens
