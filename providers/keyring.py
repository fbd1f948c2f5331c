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

    No method awaits or blocks, so calls from one event loop never interleave.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value for name, value in environ.items() if value.strip()}
        self._turns: dict[tuple[str, ...], int] = {}
        self._resting_until_s: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"Keyring({len(self._environ)} variables)"

    def has(self, name: str) -> bool:
        """Return whether the environment variable `name` is set to something."""
        return name in self._environ

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
        key = min(order, key=lambda item: max(self._resting_until_s.get(item, now_s), now_s))
        self._turns[deployment.key_envs] = (keys.index(key) + 1) % len(keys)
        return Lease(key, max(0.0, self._resting_until_s.get(key, now_s) - now_s))

    def cool_down(self, key: str, until_s: float) -> None:
        """Let `key` rest until `until_s`; a longer rest already set stays."""
        self._resting_until_s[key] = max(until_s, self._resting_until_s.get(key, until_s))

    def _keys(self, names: tuple[str, ...]) -> list[str]:
        texts = ",".join(self._environ.get(name, "") for name in names)
        return list(dict.fromkeys(key for part in texts.split(",") if (key := part.strip())))
