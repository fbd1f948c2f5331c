"""The circuit breakers of all deployments and keys: who may be asked now, and what the other gateways found.

Where replicas share a Redis, `SharedBreakers` tells them what opened and closed; a call looks at this process's memory
alone, but for the one probe of a half-open breaker.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from ..state.errors import (
    ProviderConnection,
    ProviderError,
    ProviderMalformed,
    ProviderServer,
    ProviderTimeout,
)
from .breaker import CLOSED, DEFAULT_TOLERANCE, Breaker, BreakerState, Tolerance
from .keyring import fingerprint
from .specs import Deployment, ModelSpec

COUNTED = (ProviderTimeout, ProviderConnection, ProviderServer, ProviderMalformed)
"""Failures that speak against a deployment. What a key is refused for rests the key; any other answer is a sign of
life."""

HEARD_OF_S = 1.0
"""How long another gateway's probe is waited for before this one looks again."""


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


@dataclass(frozen=True, slots=True)
class Told:
    """One breaker that is not closed."""

    label: Label
    state: BreakerState
    wait_s: float
    """Seconds until it may be asked."""


class Replicas(Protocol):
    """The other gateways, told of each change; nothing here waits for them."""

    def opened(self, place: str, breaker: Breaker, label: Label) -> None:
        """Take note that a breaker opened."""
        ...

    def closed(self, place: str) -> None:
        """Take note that it closed."""
        ...

    async def claim_probe(self, place: str, seconds: float) -> bool:
        """Return whether this process may send the one probe of all; True where nobody can be asked."""
        ...


@dataclass(slots=True)
class _Kept:
    label: Label
    breaker: Breaker = CLOSED


@dataclass(slots=True)
class BreakerBook:
    """The breakers of one process. One that nothing speaks against is not kept."""

    tolerance: Tolerance = DEFAULT_TOLERANCE
    replicas: Replicas | None = None
    on_open: Callable[[Label], None] | None = None
    """Told of each breaker that opens, the first time since it was closed."""
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many breakers anything speaks against; 0 on a good day."""
        return len(self._kept)

    def wait_s(self, deployment: Deployment, now_s: float) -> float:
        """Return the seconds until a deployment may be asked: 0 where it may now."""
        return (
            self._wait_s(place_of(deployment.base_url, deployment.upstream_model), now_s)
            if self._kept
            else 0.0
        )

    def state_of(self, deployment: Deployment, now_s: float) -> BreakerState:
        """Return the state of a deployment's own breaker."""
        kept = self._kept.get(place_of(deployment.base_url, deployment.upstream_model))
        return "closed" if kept is None else kept.breaker.state(now_s)

    def wait_of_key(self, deployment: Deployment, now_s: float) -> Callable[[str], float] | None:
        """Return what tells the seconds until a key of a deployment may be used; None where all may now."""
        if not self._kept:
            return None
        return lambda key: self._wait_s(place_of(deployment.base_url, deployment.upstream_model, key), now_s)

    def _wait_s(self, place: str, now_s: float) -> float:
        kept = self._kept.get(place)
        return 0.0 if kept is None else kept.breaker.wait_s(now_s)

    async def admit(self, deployment: Deployment, key: str | None, now_s: float) -> bool:
        """Return whether a request may be made now; where it is a probe, note that it is out."""
        if not self._kept:
            return True
        found = [(place, self._kept[place]) for place in _places(deployment, key) if place in self._kept]
        shut = [(place, kept) for place, kept in found if kept.breaker.openings]
        if any(kept.breaker.wait_s(now_s) > 0 for _, kept in shut):
            return False
        for _, kept in shut:
            kept.breaker = kept.breaker.probing(now_s, self.tolerance)
        if not shut or self.replicas is None:
            return True
        if await self.replicas.claim_probe(shut[0][0], self.tolerance.probe_s):
            return True
        for _, kept in shut:
            # Another gateway's probe is out; its end is heard of within a second or two.
            kept.breaker = Breaker(kept.breaker.failures, kept.breaker.openings, now_s + HEARD_OF_S)
        return False

    def failed(
        self, spec: ModelSpec, deployment: Deployment, key: str | None, error: ProviderError, now_s: float
    ) -> None:
        """Count a failure; one that says nothing against the deployment counts as a sign of life."""
        if not isinstance(error, COUNTED):
            self.answered(deployment, key)
            return
        for place, name in zip(_places(deployment, key), ("", fingerprint(key)), strict=False):
            kept = self._kept.get(place)
            if kept is None:
                label = Label(spec.model_id, deployment.name, name, spec.owner)
                kept = self._kept[place] = _Kept(label)
            before, kept.breaker = (
                kept.breaker,
                kept.breaker.after_failure(now_s, self.tolerance),
            )
            if kept.breaker.openings > before.openings:
                if not before.openings and self.on_open is not None:
                    self.on_open(kept.label)
                if self.replicas is not None:
                    self.replicas.opened(place, kept.breaker, kept.label)

    def answered(self, deployment: Deployment, key: str | None) -> None:
        """Note a sign of life: whatever spoke against the deployment and the key is forgotten."""
        if not self._kept:
            return
        for place in _places(deployment, key):
            kept = self._kept.pop(place, None)
            if kept is not None and kept.breaker.openings and self.replicas is not None:
                self.replicas.closed(place)

    def gave_up(self, deployment: Deployment, key: str | None) -> None:
        """Note that a request was broken off by its caller: a probe among them told nothing."""
        for place in _places(deployment, key) if self._kept else ():
            if (kept := self._kept.get(place)) is not None:
                kept.breaker = kept.breaker.without_probe()

    def adopt(self, place: str, label: Label, wait_s: float, openings: int, now_s: float) -> None:
        """Open a breaker that another gateway opened, unless this process knows it to be open."""
        kept = self._kept.setdefault(place, _Kept(label))
        if kept.breaker.openings < openings:
            kept.breaker = Breaker(self.tolerance.failures, openings, now_s + wait_s)

    def forget(self, place: str) -> None:
        """Close a breaker that another gateway closed."""
        self._kept.pop(place, None)

    def told(self, now_s: float) -> list[Told]:
        """Return the breakers that are not closed, the models of single orgs left out."""
        return [
            Told(one.label, one.breaker.state(now_s), round(one.breaker.wait_s(now_s), 3))
            for one in self._kept.values()
            if one.breaker.openings and not one.label.owner
        ]


def _places(deployment: Deployment, key: str | None) -> tuple[str, ...]:
    whole = place_of(deployment.base_url, deployment.upstream_model)
    return (whole,) if key is None else (whole, place_of(deployment.base_url, deployment.upstream_model, key))
