"""How long and how often a gateway waits: for keys that rest, between repeats, for anybody at all."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..state.errors import BeyondAllowance, ProviderBilling, ProviderRateLimit

RATE_LIMIT_REST_S = 5.0
"""How long a key rests after a rate limit that does not say how long."""
SHORTEST_REST_S = 0.5
"""How long it rests at least, so that "retry after 0" cannot spin."""
LONGEST_REST_S = 300.0
"""How long it rests at most, whatever the provider asks for: then it is tried again."""
REFUSED_REST_S = 300.0
"""How long a key rests that is unknown to the provider."""
EXHAUSTED_REST_S = 3600.0
"""How long one rests whose account has no credit left, where the provider does not say when it will."""
LONGEST_EXHAUSTED_S = 32 * 86_400.0
"""Quotas of a month are the longest there are."""
FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a deployment is asked, and by which clock, sleep and chance the gateway waits in between."""

    max_tries: int = 2
    """Requests at one deployment whose failures do not lie with the key."""
    last_tries: int = 3
    """As many at the last deployment of the model, after which only another model can answer."""
    max_requests: int = 64
    """Requests for one completion, whatever they fail with; more than any ring of keys has that is worth asking."""
    clock: Callable[[], float] = time.monotonic
    """Seconds on a monotonic clock."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random = field(default_factory=random.Random)


def rest_s(error: ProviderRateLimit) -> float:
    """Return how long to leave a provider alone that is busy: as long as it asks, within bounds."""
    asked_s = RATE_LIMIT_REST_S if error.retry_after_s is None else error.retry_after_s
    return min(LONGEST_REST_S, max(SHORTEST_REST_S, asked_s))


def exhausted_s(error: ProviderBilling | BeyondAllowance) -> float:
    """Return how long a key without credit is left alone: until the reset its provider names, within bounds."""
    asked_s = EXHAUSTED_REST_S if error.retry_after_s is None else error.retry_after_s
    return min(LONGEST_EXHAUSTED_S, max(SHORTEST_REST_S, asked_s))


def backoff_s(tries: int, rng: random.Random) -> float:
    """Return the jittered wait before a repeat, after so many tries."""
    return min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (tries - 1)) * rng.uniform(0.5, 1.0)
