"""Keys of the deployments: read once, rotated, rested when a provider refuses them, never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .specs import Deployment


@dataclass(frozen=True, slots=True)
class Lease:
    """The key to use now."""

    key: str | None = field(repr=False)
    """None = the deployment wants no key."""
    wait_s: float = 0.0
    """Seconds until this key is rested; above 0 only when every key of the deployment is resting."""


class Keyring:
    """Keys by environment variable. A variable may hold several, separated by commas.

    One key often opens many models, so what one of them refuses rests the key there alone. Only where a second model at
    the same address refuses the key as well, and none has answered in between, does it rest for all of them.

    No method awaits or blocks, so calls from one event loop never interleave.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value for name, value in environ.items() if value.strip()}
        self._turns: dict[tuple[str, ...], int] = {}
        self._resting_until_s: dict[_Place, float] = {}
        self._refused_by: dict[_Place, set[str]] = {}

    def __repr__(self) -> str:
        return f"Keyring({len(self._environ)} variables)"

    def has(self, name: str) -> bool:
        """Return whether the environment variable `name` is set to something."""
        return name in self._environ

    def key_of(self, name: str) -> str | None:
        """Return the first key that an environment variable holds."""
        return next(iter(self._keys((name,))), None)

    def next_key(self, deployment: Deployment, now_s: float) -> Lease | None:
        """Return the next rested key in turn, or the one that is rested first with the seconds until then.

        None = the deployment cannot be used: switched off, or it wants a key and there is none.
        """
        if not deployment.is_usable(self.has):
            return None
        keys = self._keys(deployment.key_envs)
        if not keys:
            return Lease(None) if not deployment.key_envs else None
        turn = self._turns.get(deployment.key_envs, 0)
        order = [keys[(turn + offset) % len(keys)] for offset in range(len(keys))]
        key = min(order, key=lambda item: self._wait_s(item, deployment, now_s))
        self._turns[deployment.key_envs] = (keys.index(key) + 1) % len(keys)
        return Lease(key, self._wait_s(key, deployment, now_s))

    def rest(self, key: str, deployment: Deployment, until_s: float) -> None:
        """Let `key` rest for one model of a deployment until `until_s`; a longer rest already set stays."""
        self._rest(_at_model(key, deployment), until_s)

    def refuse(self, key: str, deployment: Deployment, until_s: float) -> None:
        """Note that a model's provider refused `key`: it rests there, and everywhere once two models refused it."""
        self.rest(key, deployment, until_s)
        place = _at_address(key, deployment)
        models = self._refused_by.setdefault(place, set())
        models.add(deployment.upstream_model)
        if len(models) > 1:
            self._rest(place, until_s)

    def accept(self, key: str, deployment: Deployment) -> None:
        """Note that a provider took `key`: what refused it before lay with a model."""
        self._refused_by.pop(_at_address(key, deployment), None)
        self._resting_until_s.pop(_at_address(key, deployment), None)

    def _rest(self, place: "_Place", until_s: float) -> None:
        self._resting_until_s[place] = max(until_s, self._resting_until_s.get(place, until_s))

    def _wait_s(self, key: str, deployment: Deployment, now_s: float) -> float:
        places = (_at_model(key, deployment), _at_address(key, deployment))
        return max(0.0, *(self._resting_until_s.get(place, now_s) - now_s for place in places))

    def _keys(self, names: tuple[str, ...]) -> list[str]:
        texts = ",".join(self._environ.get(name, "") for name in names)
        return list(dict.fromkeys(key for part in texts.split(",") if (key := part.strip())))


_Place = tuple[str, ...]
"""A key at an address, or at one model there."""


def _at_address(key: str, deployment: Deployment) -> _Place:
    return key, deployment.base_url


def _at_model(key: str, deployment: Deployment) -> _Place:
    return key, deployment.base_url, deployment.upstream_model
