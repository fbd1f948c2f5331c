"""Whom would another policy have asked first? A probability for each arm of a logged call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...providers.written import read_file
from ...routing.plan.configs import RouterConfig
from ...routing.plan.threshold import ThresholdRule, choose_set
from ...state.errors import ConfigError
from ...state.types import TIERS
from .log import Decided
from .replayed import router_probs

Floats = NDArray[np.float64]
KINDS = "logged, always:MODEL, tier:TIER, threshold:PROB, the name of a router, or a YAML file of one"


@dataclass(frozen=True)
class Policy:
    """A way to choose whom to ask first."""

    name: str
    description: str
    probs: Callable[[Decided, np.random.Generator], Floats | None]
    """Probability of each logged arm, of sum 1; None where the policy can ask none of them, so that the call would be
    decided as it was."""
    is_logged: bool = False


def parse_policy(text: str, routers: Mapping[str, RouterConfig]) -> Policy:
    """Return the policy a text names.

    Raises
    ------
    ConfigError
        When it names none, or what it names is out of range or unreadable.
    """
    kind, _, value = text.partition(":")
    if text == "logged":
        return Policy(text, "as the log decided", lambda call, _: call.propensities, is_logged=True)
    if kind == "always" and value:
        return Policy(text, f"{value} is asked first", _always(value))
    if kind == "tier" and value in TIERS:
        return Policy(text, f"the {value} tier is asked first, within it as the log chose", _tier(value))
    if kind == "tier":
        raise ConfigError(f"policy {text!r}: a tier is one of {', '.join(TIERS)}")
    if kind == "threshold" and value:
        return Policy(text, f"the cheapest model that completes with {value}", _threshold(text, value))
    if text in routers:
        return _router(text, routers[text])
    if Path(text).suffix in {".yaml", ".yml"}:
        return _router(text, RouterConfig.parse(read_file(Path(text)), text))
    raise ConfigError(
        f"policy {text!r} is unknown: it may be {KINDS}; routers are {', '.join(sorted(routers))}"
    )


def _router(name: str, config: RouterConfig) -> Policy:
    if config.first_tier != "any":
        raise ConfigError(
            f"policy {name!r}: its first_tier is {config.first_tier!r}, and a log holds no words to tell a class from"
        )
    return Policy(
        name, f"router {config.name!r} ({config.strategy})", lambda call, rng: router_probs(call, config, rng)
    )


def _one_hot(size: int, index: int) -> Floats:
    probs = np.zeros(size)
    probs[index] = 1.0
    return probs


def _always(model_id: str) -> Callable[[Decided, np.random.Generator], Floats | None]:
    def probs(call: Decided, _: np.random.Generator) -> Floats | None:
        found = next((n for n, arm in enumerate(call.arms) if arm.model_id == model_id), None)
        return None if found is None else _one_hot(len(call.arms), found)

    return probs


def _tier(tier: str) -> Callable[[Decided, np.random.Generator], Floats | None]:
    def probs(call: Decided, _: np.random.Generator) -> Floats | None:
        members = np.array([arm.tier == tier for arm in call.arms])
        if not members.any():
            return None
        inside = np.where(members, call.propensities, 0.0)
        if inside.sum() > 0.0:
            return np.asarray(inside / inside.sum())
        best = max(np.flatnonzero(members), key=lambda n: call.arms[n].mean)
        return _one_hot(len(call.arms), int(best))

    return probs


def _threshold(text: str, value: str) -> Callable[[Decided, np.random.Generator], Floats | None]:
    try:
        rule = ThresholdRule(completion_threshold=float(value))
    except ValueError as error:
        raise ConfigError(f"policy {text!r}: the threshold must be between 0 and 1") from error

    def probs(call: Decided, _: np.random.Generator) -> Floats | None:
        chosen = choose_set([arm.as_arm() for arm in call.arms], rule).model_ids[0]
        return _one_hot(len(call.arms), [arm.model_id for arm in call.arms].index(chosen))

    return probs
