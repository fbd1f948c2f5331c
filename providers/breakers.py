"""The circuit breakers of all deployments and keys: who may be asked now, and what the other gateways found.

Where replicas share a Redis, `SharedBreakers` tells them what opened and closed; a call looks at this process's memory
alone, but for the one probe of a half-open breaker.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..state.errors import (
    ProviderConnection,
    ProviderError,
    ProviderMalformed,
    ProviderServer,
    ProviderTimeout,
)
from .breaker import CLOSED, DEFAULT_TOLERANCE, Breaker, BreakerState, CommonBreaker, Tolerance
from .breaker_places import Label, Replicas, Told, own_name, place_and_org, place_of, places_of
from .keyring import fingerprint
from .specs import Deployment, ModelSpec

COUNTED = (ProviderTimeout, ProviderConnection, ProviderServer, ProviderMalformed)
"""Failures that speak against a deployment. What a key is refused for rests the key; any other answer is a sign of
life."""

HEARD_OF_S = 1.0
"""How long another gateway's probe is waited for before this one looks again."""
MOST_OWN = 4096
"""Breakers of single orgs that one process remembers: a megabyte and a half."""
NOTHING_COMMON = CommonBreaker()


@dataclass(slots=True)
class _Kept:
    """What speaks against one place: for everybody, and for single orgs."""

    label: Label
    common: CommonBreaker = NOTHING_COMMON
    own: dict[str, Breaker] = field(default_factory=dict)


@dataclass(slots=True)
class BreakerBook:
    """The breakers of one process. A place that nothing speaks against is not kept.

    Every failure counts for the org whose request it was, and for everybody as `CommonBreaker` says; an answer to
    anybody is a sign of life for everybody, and one to an org for that org. Once what was open for everybody closes, it
    is closed for each org, too.
    """

    tolerance: Tolerance = DEFAULT_TOLERANCE
    replicas: Replicas | None = None
    on_open: Callable[[Label], None] | None = None
    """Told of each breaker that opens, the first time since it was closed."""
    most_own: int = MOST_OWN
    """Single orgs' breakers that are remembered; those whose last failure is longest ago go first."""
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _newest: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    """Place and org of every org's own, the latest to fail last."""

    def __len__(self) -> int:
        """Return how many places anything speaks against; 0 on a good day."""
        return len(self._kept)

    def wait_s(self, deployment: Deployment, now_s: float, org: str = "") -> float:
        """Return the seconds until a deployment may be asked for an org: 0 where it may now."""
        if not self._kept:
            return 0.0
        return self._wait_s(place_of(deployment.base_url, deployment.upstream_model), org, now_s)

    def state_of(self, deployment: Deployment, now_s: float) -> BreakerState:
        """Return the state of a deployment's own breaker for all orgs; single ones may be kept away besides."""
        kept = self._kept.get(place_of(deployment.base_url, deployment.upstream_model))
        return "closed" if kept is None else kept.common.breaker.state(now_s)

    def wait_of_key(
        self, deployment: Deployment, now_s: float, org: str = ""
    ) -> Callable[[str], float] | None:
        """Return what tells the seconds until a key of a deployment may be used for an org; None where all may now."""
        if not self._kept:
            return None
        return lambda key: self._wait_s(
            place_of(deployment.base_url, deployment.upstream_model, key), org, now_s
        )

    def _wait_s(self, place: str, org: str, now_s: float) -> float:
        kept = self._kept.get(place)
        if kept is None:
            return 0.0
        return max(kept.common.breaker.wait_s(now_s), kept.own.get(org, CLOSED).wait_s(now_s))

    async def admit(self, deployment: Deployment, key: str | None, now_s: float, org: str = "") -> bool:
        """Return whether a request of an org may be made now; where it is a probe, note that it is out."""
        if not self._kept:
            return True
        shut = [
            (place, breaker)
            for place in places_of(deployment, key)
            for place, breaker in self._met(place, org)
            if breaker.openings
        ]
        if any(breaker.wait_s(now_s) > 0 for _, breaker in shut):
            return False
        for place, breaker in shut:
            self._put(place, breaker.probing(now_s, self.tolerance))
        if not shut or self.replicas is None:
            return True
        if await self.replicas.claim_probe(shut[0][0], self.tolerance.probe_s):
            return True
        for place, breaker in shut:
            # Another gateway's probe is out; its end is heard of within a second or two.
            self._put(place, Breaker(breaker.failures, breaker.openings, now_s + HEARD_OF_S))
        return False

    def _met(self, place: str, org: str) -> Iterator[tuple[str, Breaker]]:
        """Yield the breakers that an org's requests meet at a place, by the names replicas know them by."""
        if (kept := self._kept.get(place)) is not None:
            yield place, kept.common.breaker
            if org in kept.own:
                yield own_name(place, org), kept.own[org]

    def _put(self, name: str, breaker: Breaker) -> None:
        """Keep a breaker in the place of the one of that name, where there is one still."""
        place, org = place_and_org(name)
        kept = self._kept.get(place)
        if kept is not None and org is None:
            kept.common = replace(kept.common, breaker=breaker)
        elif kept is not None and org in kept.own:
            kept.own[org] = breaker

    def failed(  # noqa: PLR0913, PLR0917 - who asked whom, and when
        self,
        spec: ModelSpec,
        deployment: Deployment,
        key: str | None,
        error: ProviderError,
        now_s: float,
        org: str = "",
    ) -> None:
        """Count a failure of an org's request; one that does not speak against the deployment is a sign of life."""
        if not isinstance(error, COUNTED):
            self.answered(deployment, key, org)
            return
        for place, name in zip(places_of(deployment, key), ("", fingerprint(key)), strict=False):
            kept = self._kept.get(place)
            if kept is None:
                label = Label(spec.model_id, deployment.name, name, spec.owner)
                kept = self._kept[place] = _Kept(label)
            self._count(place, kept, org, now_s)

    def _count(self, place: str, kept: _Kept, org: str, now_s: float) -> None:
        before = kept.common.breaker
        own = kept.own.get(org, CLOSED)
        if before.state(now_s) == "open":  # of a request that was sent earlier
            self._put(own_name(place, org), own.without_probe())
            return
        if before.openings and own.state(now_s) != "open":
            # Its probe failed. Others' may come next, this org's not before a rest.
            own = Breaker(own.failures, max(own.openings, before.openings), now_s)
        self._set_own(place, kept, org, own.after_failure(now_s, self.tolerance))
        self._set_common(place, kept, kept.common.after_failure(org, now_s, self.tolerance))

    def _set_own(self, place: str, kept: _Kept, org: str, breaker: Breaker, *, is_news: bool = True) -> None:
        before, kept.own[org] = kept.own.get(org, CLOSED), breaker
        self._newest[place, org] = None
        self._newest.move_to_end((place, org))
        if is_news and breaker.openings > before.openings:
            self._tell(own_name(place, org), before, breaker, replace(kept.label, org=org))
        while len(self._newest) > self.most_own:
            self._drop_own(*next(iter(self._newest)))

    def _set_common(self, place: str, kept: _Kept, common: CommonBreaker) -> None:
        before, kept.common = kept.common.breaker, common
        if common.breaker.openings > before.openings:
            self._tell(place, before, common.breaker, kept.label)
        elif before.probe_until_s and not common.breaker.probe_until_s and self.replicas is not None:
            self.replicas.released(place)

    def _tell(self, name: str, before: Breaker, breaker: Breaker, label: Label) -> None:
        if not before.openings and self.on_open is not None:
            self.on_open(label)
        if self.replicas is not None:
            self.replicas.opened(name, breaker, label)

    def _drop_own(self, place: str, org: str) -> None:
        """Forget an org's own breaker, and the place where nothing else speaks against it."""
        del self._newest[place, org]
        kept = self._kept[place]
        if kept.own.pop(org).openings and self.replicas is not None:
            self.replicas.closed(own_name(place, org))
        if not kept.own and kept.common == NOTHING_COMMON:
            del self._kept[place]

    def answered(self, deployment: Deployment, key: str | None, org: str = "") -> None:
        """Note an answer to an org: what spoke against deployment and key is forgotten, single other orgs' aside."""
        if not self._kept:
            return
        for place in places_of(deployment, key):
            if (kept := self._kept.get(place)) is None:
                continue
            was_open = kept.common.breaker.openings > 0
            if was_open and self.replicas is not None:
                self.replicas.closed(place)
            kept.common = NOTHING_COMMON
            for one in [*kept.own] if was_open else [org] if org in kept.own else ():
                self._drop_own(place, one)
            if not kept.own:
                self._kept.pop(place, None)

    def gave_up(self, deployment: Deployment, key: str | None, org: str = "") -> None:
        """Note that a request was broken off by its caller: a probe among them told nothing."""
        for place in places_of(deployment, key) if self._kept else ():
            for name, breaker in [*self._met(place, org)]:
                if breaker.probe_until_s:
                    self._put(name, breaker.without_probe())
                    if self.replicas is not None:
                        self.replicas.released(name)

    def adopt(self, name: str, label: Label, wait_s: float, openings: int, now_s: float) -> None:
        """Open a breaker that another gateway opened, unless this process knows it to be open.

        An org's own says nothing for everybody here: this process does not know who was answered there since.
        """
        place, org = place_and_org(name)
        kept = self._kept.setdefault(place, _Kept(replace(label, org=None)))
        opened = Breaker(self.tolerance.failures, openings, now_s + wait_s)
        if org is None:
            if kept.common.breaker.openings < openings:
                kept.common = CommonBreaker(opened)
        elif kept.own.get(org, CLOSED).openings < openings:
            self._set_own(place, kept, org, opened, is_news=False)

    def forget(self, name: str) -> None:
        """Close a breaker that another gateway closed."""
        place, org = place_and_org(name)
        kept = self._kept.get(place)
        if kept is None:
            return
        if org is None:
            kept.common = NOTHING_COMMON
        elif org in kept.own:
            del kept.own[org], self._newest[place, org]
            if not kept.common.breaker.openings:  # an answer there is a sign of life for everybody
                kept.common = NOTHING_COMMON
        if not kept.own and kept.common == NOTHING_COMMON:
            del self._kept[place]

    def told(self, now_s: float) -> list[Told]:
        """Return the breakers that are not closed, those of single orgs counted; the models of single orgs left out."""
        return [
            found
            for kept in self._kept.values()
            if not kept.label.owner
            and (found := _told(kept, [kept.common.breaker], now_s) or _told(kept, kept.own.values(), now_s))
        ]

    def told_to(self, org: str, now_s: float) -> list[Told]:
        """Return the breakers that are not closed for an org, the models of single orgs left out."""
        return [
            replace(found, orgs=0)
            for kept in self._kept.values()
            if not kept.label.owner
            and (found := _told(kept, [kept.common.breaker, kept.own.get(org, CLOSED)], now_s))
        ]


def _told(kept: _Kept, breakers: Iterable[Breaker], now_s: float) -> Told | None:
    """Return what is told of a place by the breaker there that stays shut longest; None where all are closed."""
    shut = [one for one in breakers if one.openings]
    if not shut:
        return None
    longest = max(shut, key=lambda one: one.wait_s(now_s))
    orgs = 0 if kept.common.breaker.openings else len(shut)
    return Told(kept.label, longest.state(now_s), round(longest.wait_s(now_s), 3), orgs)
