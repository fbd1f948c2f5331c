"""What providers' trouble looks like from outside: breakers that are not closed, keys without credit or refused."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..nodes.services import Services
from ..providers.breaker_places import Told
from ..providers.keyring import OutOfUse

LEVELS = {"closed": 0, "half_open": 1, "open": 2}
MOST_NAMED = 8
"""Breakers that a header names."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The state of the deployments everybody shares; those of single orgs are nobody else's business."""

    breakers: list[Told]
    keys: list[dict[str, Any]]
    """Without credit."""
    refused_keys: list[dict[str, Any]]
    """Unknown to their providers."""
    levels: list[list[Any]]
    """Model, deployment, key, and 0 closed, 1 half-open or 2 open: of every deployment, and of keys not closed."""

    @property
    def sentences(self) -> dict[str, str]:
        """What is amiss, in a sentence each."""
        found = {}
        if self.breakers:
            found["providers"] = f"failing lately: {breakers_named(self.breakers)}"
        if self.keys:
            found["keys"] = f"provider keys without credit: {_names(self.keys)}"
        if self.refused_keys:
            found["refused_keys"] = f"provider keys that their providers refuse: {_names(self.refused_keys)}"
        return found


def trouble_of(services: Services) -> Trouble:
    """Return what is known of the deployments now."""
    gateway, now_s = services.gateway, services.clock_s()
    told = gateway.breakers.told(now_s)
    levels = {
        (spec.model_id, deployment.name, ""): 0
        for spec in services.models.values()
        for deployment in spec.deployments
        if deployment.is_usable(gateway.keyring.has)
    }
    levels |= {(one.label.model_id, one.label.deployment, one.label.key): LEVELS[one.state] for one in told}
    shared = {deployment.name for spec in services.models.values() for deployment in spec.deployments}

    def listed(keys: Iterable[OutOfUse]) -> list[dict[str, Any]]:
        return [
            {
                "deployment": one.deployment, "model": one.upstream_model, "key": one.key,
                "wait_s": round(max(0.0, one.until_s - now_s), 1),
            }
            for one in keys
            if one.deployment in shared
        ]  # fmt: skip

    exhausted, refused = listed(gateway.keyring.exhausted()), listed(gateway.keyring.rejected())
    return Trouble(told, exhausted, refused, [[*labels, level] for labels, level in levels.items()])


def _names(keys: Iterable[dict[str, Any]]) -> str:
    return ", ".join(sorted({f"{one['deployment']} ({one['key']})" for one in keys}))


def facts(one: Told) -> dict[str, Any]:
    """Return a breaker as JSON."""
    label = asdict(one.label)
    del label["owner"], label["org"]
    label["model"] = label.pop("model_id")
    return {**label, "state": one.state, "wait_s": one.wait_s, "orgs": one.orgs}


def breakers_named(told: Sequence[Told]) -> str:
    """Return breakers in a line, such as `openrouter/openai/gpt-6-luna=open`; "" for none.

    One that is not closed for single orgs only has their number behind it, as in `=open for 1 org`.
    """
    names = [f"{one.label.deployment}/{one.label.model_id}={one.state}{_for_whom(one)}" for one in told]
    return ", ".join(dict.fromkeys(names[:MOST_NAMED]))


def _for_whom(one: Told) -> str:
    return "" if not one.orgs else f" for {one.orgs} org{'s'[: one.orgs > 1]}"
