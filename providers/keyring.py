"""Keys of the deployments: read once, rotated, rested when a provider refuses them, never shown."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from .specs import Deployment

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """The key to use now."""

    key: str | None = field(repr=False)
    """None = the deployment wants no key."""
    wait_s: float = 0.0
    """Seconds until this key is rested; above 0 only when every key of the deployment is resting."""
    byok_key: str | None = None
    """Id of the caller's own key that this is; None = the gateway's."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key that an org brought along, for the deployments of one provider."""

    provider: str
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutOfUse:
    """A key that cannot be used for a while: without credit, or unknown to its provider, as one deployment says."""

    deployment: str
    upstream_model: str
    key: str
    """As `fingerprint` calls it."""
    until_s: float
    """Reading of the monotonic clock at which it is tried again."""


def fingerprint(key: str | None) -> str:
    """Return what a key is called where people read: the first eight digits of its SHA-256, "" for none."""
    return "" if key is None else sha256(key.encode()).hexdigest()[:8]


class Keyring:
    """Keys by environment variable. A variable may hold several, separated by commas.

    One key often opens many models, so what one of them refuses rests the key there alone. Only where a second model at
    the same address refuses the key as well, and none has answered in between, does it rest for all of them.

    No method awaits or blocks, so calls from one event loop never interleave.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = _set_ones(environ)
        self._exhausted: dict[_Place, OutOfUse] = {}
        self._rejected: dict[_Place, OutOfUse] = {}
        self._low_for: dict[_Place, str] = {}
        """Whose request was too dear for a key's credit, none having been answered since."""
        self._turns: dict[tuple[str, ...], int] = {}
        self._resting_until_s: dict[_Place, float] = {}
        self._refused_by: dict[_Place, set[str]] = {}
        self._refused_until_s: dict[_Place, float] = {}

    def __repr__(self) -> str:
        return f"Keyring({len(self._environ)} variables)"

    def has(self, name: str) -> bool:
        """Return whether the environment variable `name` is set to something."""
        return name in self._environ

    def key_of(self, name: str) -> str | None:
        """Return the first key that an environment variable holds."""
        return next(iter(self._keys((name,))), None)

    def replace(self, environ: Mapping[str, str]) -> bool:
        """Take other variables from now on; return whether any value differs. Keys that stay go on resting."""
        given = _set_ones(environ)
        changed, self._environ = given != self._environ, given
        present = {key for name in given for key in self._keys((name,))}
        for kept in (
            self._exhausted, self._rejected, self._low_for, self._resting_until_s, self._refused_by,
            self._refused_until_s,
        ):  # fmt: skip
            for place in [place for place in kept if place[0] not in present]:
                del kept[place]
        return changed

    def count(self, deployment: Deployment) -> int:
        """Return how many keys a deployment has, at least 1: a request without one counts, too."""
        return max(1, len(self._keys(deployment.key_envs)))

    def next_key(
        self,
        deployment: Deployment,
        now_s: float,
        own: Sequence[OwnKey] = (),
        wait_of: Callable[[str], float] | None = None,
    ) -> Lease | None:
        """Return the next rested key in turn, or the one that is rested first with the seconds until then.

        A rested one of the caller's `own` for this deployment comes first, in their order; ours where none is.

        None = the deployment cannot be used: switched off, or it wants a key and there is none.

        Parameters
        ----------
        wait_of
            Seconds that something else than its rest keeps a key from being used.
        """
        lease, turn = self._lease(deployment, now_s, own, wait_of)
        if turn is not None:
            self._turns[deployment.key_envs] = turn
        return lease

    def wait_s(
        self,
        deployment: Deployment,
        now_s: float,
        own: Sequence[OwnKey] = (),
        wait_of: Callable[[str], float] | None = None,
    ) -> float | None:
        """Return the seconds until `next_key` would have a rested key, no key's turn being used; None as there."""
        lease, _ = self._lease(deployment, now_s, own, wait_of)
        return None if lease is None else lease.wait_s

    def _lease(
        self,
        deployment: Deployment,
        now_s: float,
        own: Sequence[OwnKey],
        wait_of: Callable[[str], float] | None,
    ) -> tuple[Lease | None, int | None]:
        """Return the key to use, and whose turn it is then; None where it is no shared key's turn."""
        mine = self._own_lease(deployment, now_s, own, wait_of) if own else None
        if mine is not None and mine.wait_s == 0:
            return mine, None
        if not deployment.is_usable(self.has):
            return mine, None
        keys = self._keys(deployment.key_envs)
        if not keys:
            return (Lease(None) if not deployment.key_envs else None), None
        turn = self._turns.get(deployment.key_envs, 0)
        order = [keys[(turn + offset) % len(keys)] for offset in range(len(keys))]
        wait_s = self._waits(deployment, now_s, wait_of)
        # The first one that is rested is taken, so that a long ring is not searched to its end.
        key = next((item for item in order if wait_s(item) == 0.0), None) or min(order, key=wait_s)
        return Lease(key, wait_s(key)), (keys.index(key) + 1) % len(keys)

    def _own_lease(
        self,
        deployment: Deployment,
        now_s: float,
        own: Sequence[OwnKey],
        wait_of: Callable[[str], float] | None,
    ) -> Lease | None:
        if deployment.enabled_by is not None and not self.has(deployment.enabled_by):
            return None
        wait_s = self._waits(deployment, now_s, wait_of)
        leases = [
            Lease(one.secret, wait_s(one.secret), one.key_id)
            for one in own
            if one.provider == deployment.name
        ]
        return min(leases, key=lambda lease: lease.wait_s, default=None)

    def _waits(
        self, deployment: Deployment, now_s: float, wait_of: Callable[[str], float] | None
    ) -> Callable[[str], float]:
        """Return what says for how many seconds a key may not be used at a deployment, whatever keeps it from that."""

        def wait_s(key: str) -> float:
            return max(self._wait_s(key, deployment, now_s), 0.0 if wait_of is None else wait_of(key))

        return wait_s

    def rest(self, key: str, deployment: Deployment, until_s: float) -> None:
        """Let `key` rest for one model of a deployment until `until_s`; a longer rest already set stays."""
        self._rest(_at_model(key, deployment), until_s)

    def refuse(self, key: str, deployment: Deployment, until_s: float) -> None:
        """Note that a model's provider refused `key`: it rests there, and everywhere once two models refused it."""
        self.rest(key, deployment, until_s)
        self._refused_until_s[_at_model(key, deployment)] = until_s
        place = _at_address(key, deployment)
        models = self._refused_by.setdefault(place, set())
        models.add(deployment.upstream_model)
        if len(models) > 1:
            self._rest(place, until_s)
            self._refused_until_s[place] = until_s

    def are_refused(self, deployment: Deployment, now_s: float, own: Sequence[OwnKey] = ()) -> bool:
        """Return whether every key that may be used at a deployment rests because its vendor took none of them."""
        keys = [one.secret for one in own if one.provider == deployment.name]
        if deployment.is_usable(self.has):
            keys += self._keys(deployment.key_envs)
        return bool(keys) and all(
            max(self._refused_until_s.get(place, now_s) for place in _places(key, deployment)) > now_s
            for key in keys
        )

    def exhaust(self, key: str, deployment: Deployment, until_s: float) -> None:
        """Note that the account of `key` has no credit left, and raise the alert where that is news."""
        self.refuse(key, deployment, until_s)
        if _is_news(self._exhausted, key, deployment, until_s):
            _log.warning(
                "provider_key_exhausted: key %s of %s has no credit left for %s; others are used until it has",
                fingerprint(key), deployment.name, deployment.upstream_model,
            )  # fmt: skip

    def reject(self, key: str, deployment: Deployment, until_s: float) -> None:
        """Note that a provider does not know `key`, and raise the alert where that is news."""
        self.refuse(key, deployment, until_s)
        if _is_news(self._rejected, key, deployment, until_s):
            _log.warning(
                "provider_key_refused: %s does not take key %s for %s; others are used, and it is tried again",
                deployment.name, fingerprint(key), deployment.upstream_model,
            )  # fmt: skip

    def note_low(self, key: str, deployment: Deployment, until_s: float, org: str) -> None:
        """Note that the credit of `key` is too little for a request of `org`, which may have asked for very much.

        It rests for nobody, until a request of another org is refused likewise with none answered in between: then it
        counts as exhausted.
        """
        place = _at_model(key, deployment)
        if (before := self._low_for.get(place)) is not None:
            if before != org:
                self.exhaust(key, deployment, until_s)
            return
        self._low_for[place] = org
        _log.warning(
            "provider_key_low: key %s of %s has too little credit for a request to %s; smaller ones may go",
            fingerprint(key), deployment.name, deployment.upstream_model,
        )  # fmt: skip

    def exhausted(self) -> list[OutOfUse]:
        """Return the keys that were without credit when they were last asked."""
        return list(self._exhausted.values())

    def rejected(self) -> list[OutOfUse]:
        """Return the keys that their providers did not know when they were last asked."""
        return list(self._rejected.values())

    def accept(self, key: str, deployment: Deployment) -> None:
        """Note that a provider took `key`: what refused it before lay with a model."""
        place = _at_model(key, deployment)
        self._low_for.pop(place, None)
        was_exhausted, was_rejected = self._exhausted.pop(place, None), self._rejected.pop(place, None)
        if was_exhausted or was_rejected:
            _log.warning(
                "provider_key_restored: key %s of %s is used again", fingerprint(key), deployment.name
            )
        self._refused_by.pop(_at_address(key, deployment), None)
        self._resting_until_s.pop(_at_address(key, deployment), None)
        for place in _places(key, deployment):
            self._refused_until_s.pop(place, None)

    def _rest(self, place: "_Place", until_s: float) -> None:
        self._resting_until_s[place] = max(until_s, self._resting_until_s.get(place, until_s))

    def _wait_s(self, key: str, deployment: Deployment, now_s: float) -> float:
        resting = self._resting_until_s
        return max(0.0, *(resting.get(place, now_s) - now_s for place in _places(key, deployment)))

    def _keys(self, names: tuple[str, ...]) -> list[str]:
        texts = ",".join(self._environ.get(name, "") for name in names)
        return list(dict.fromkeys(key for part in texts.split(",") if (key := part.strip())))


_Place = tuple[str, ...]
"""A key at an address, or at one model there."""


def _set_ones(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if value.strip()}


def _is_news(kept: "dict[_Place, OutOfUse]", key: str, deployment: Deployment, until_s: float) -> bool:
    """Remember that a key is out of use at a model; return whether that was not known."""
    place, model = _at_model(key, deployment), deployment.upstream_model
    is_news = place not in kept
    kept[place] = OutOfUse(deployment.name, model, fingerprint(key), until_s)
    return is_news


def _at_address(key: str, deployment: Deployment) -> _Place:
    return key, deployment.base_url


def _at_model(key: str, deployment: Deployment) -> _Place:
    return key, deployment.base_url, deployment.upstream_model


def _places(key: str, deployment: Deployment) -> tuple[_Place, _Place]:
    return _at_model(key, deployment), _at_address(key, deployment)
