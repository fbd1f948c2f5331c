"""Where circuit breakers stand, what they are called among gateways, and what is told of them."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from .breaker import Breaker, BreakerState
from .specs import Deployment


@lru_cache(maxsize=4096)
def place_of(base_url: str, upstream_model: str, key: str | None = None) -> str:
    """Return the name, among replicas too, of where a breaker stands: a model at an address, or one key there.

    It tells nobody the key.
    """
    return sha256("\n".join((base_url, upstream_model, key or "")).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Label:
    """Whose breaker it is, as people are told."""

    model_id: str
    deployment: str
    key: str = ""
    """The first eight digits of the key's SHA-256; "" for the deployment's own."""
    owner: str = ""
    """Org whose model it is; "" = everybody's."""
    org: str | None = None
    """Org whose requests alone it keeps away; None = everybody's."""


@dataclass(frozen=True, slots=True)
class Told:
    """One breaker that is not closed."""

    label: Label
    state: BreakerState
    wait_s: float
    """Seconds until it may be asked."""
    orgs: int = 0
    """How many single orgs it is not closed for; 0 = it is not closed for anybody."""


class Replicas(Protocol):
    """The other gateways, told of each change; nothing here waits for them."""

    def opened(self, place: str, breaker: Breaker, label: Label) -> None:
        """Take note that a breaker opened."""
        ...

    def closed(self, place: str) -> None:
        """Take note that it closed."""
        ...

    def released(self, place: str) -> None:
        """Take note that a probe told nothing of use, so that another may be sent."""
        ...

    async def claim_probe(self, place: str, seconds: float) -> bool:
        """Return whether this process may send the one probe of all; True where nobody can be asked."""
        ...


def own_name(place: str, org: str) -> str:
    """Return the name of an org's own breaker at a place."""
    return f"{place}/{org}"


def place_and_org(name: str) -> tuple[str, str | None]:
    """Return what a breaker's name says: its place, and whose own it is; None = everybody's."""
    place, slash, org = name.partition("/")
    return place, org if slash else None


def places_of(deployment: Deployment, key: str | None) -> tuple[str, ...]:
    """Return where a request meets breakers: at the deployment and, where it has one, at its key there."""
    whole = place_of(deployment.base_url, deployment.upstream_model)
    return (whole,) if key is None else (whole, place_of(deployment.base_url, deployment.upstream_model, key))
