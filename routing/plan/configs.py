"""Router configs: a named strategy with its candidates and knobs, as written in registry/routers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any, get_args

from ...state.errors import ConfigError
from ...state.working_memory import Strategy
from .policy import nearest_key
from .sets import MAX_K
from .threshold import ThresholdRule

_MOST_ESCALATIONS = 5


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """How one named router decides."""

    name: str
    description: str = ""
    strategy: Strategy = "plan"
    """"plan" weighs quality and price; "classic" asks the best draw and climbs on a low score; "threshold" asks the
    cheapest model likely enough to complete, and neither judges nor climbs."""
    models: tuple[str, ...] = ()
    """Model ids to choose among; empty means all registered."""
    quality_bar: float = 0.7
    """Judge's score below which the classic strategy climbs, 0 to 1."""
    max_escalations: int = 2
    """Most climbs in one call, 0 to 5."""
    epsilon: float = 0.03
    """Share of calls that start at a random tier, 0 to 1."""
    audit_rate: float = 0.05
    """Share of answers judged though the plan would not, 0 to 1."""
    completion_threshold: float = 0.7
    """Threshold strategy: probability of completion that is enough, 0 to 1."""
    fallback_quality_margin: float = 0.05
    """Threshold strategy: how far below the best a cheaper model may be where none is likely enough, 0 to 1."""
    lambda_cost: float = 1.0
    """Threshold strategy: price of a reference cost, >= 0."""
    lambda_latency: float = 0.0
    """Threshold strategy: price of a reference latency, >= 0."""
    max_k: int = 1
    """Threshold strategy: most models named by one decision, 1 to 4. The cascade asks one at a time."""

    @property
    def rule(self) -> ThresholdRule:
        """The knobs of the threshold strategy."""
        return ThresholdRule(
            completion_threshold=self.completion_threshold,
            fallback_quality_margin=self.fallback_quality_margin,
            lambda_cost=self.lambda_cost,
            lambda_latency=self.lambda_latency,
            max_k=self.max_k,
        )

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], source: str) -> "RouterConfig":
        """Return the config a file holds; `source` is the file's name for messages.

        Raises
        ------
        ConfigError
            If a key is unknown, `name` is missing, or a value is of the wrong type or range.
        """
        if not isinstance(mapping, Mapping):
            raise ConfigError(f"{source}: expected keys and values, got {mapping!r}")
        known = [item.name for item in fields(cls)]
        for key in mapping:
            if key not in known:
                raise ConfigError(f"{source}: unknown key {key!r}; {nearest_key(str(key), known)}")
        if "name" not in mapping:
            raise ConfigError(f"{source}: key 'name' is missing")
        for key, value in mapping.items():
            if (expected := _expectation(key, value)) is not None:
                raise ConfigError(f"{source}: {key} must be {expected}, got {value!r}")
        return cls(**{**mapping, "models": tuple(mapping.get("models", ()))})


def _expectation(key: str, value: Any) -> str | None:
    """Return what the value should have been, or None when it is right."""
    strategies = get_args(Strategy)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    is_number = is_whole or isinstance(value, float)
    is_list_of_text = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
    rules: dict[str, tuple[bool, str]] = {
        "name": (isinstance(value, str) and bool(value), "a name"),
        "description": (isinstance(value, str), "text"),
        "strategy": (value in strategies, f"one of {', '.join(strategies)}"),
        "models": (is_list_of_text, "a list of model ids"),
        "lambda_cost": (is_number and 0 <= value < inf, "a number >= 0"),
        "lambda_latency": (is_number and 0 <= value < inf, "a number >= 0"),
        "max_k": (is_whole and 1 <= value <= MAX_K, f"1 to {MAX_K}"),
        "max_escalations": (is_whole and 0 <= value <= _MOST_ESCALATIONS, f"0 to {_MOST_ESCALATIONS}"),
    }
    is_right, expected = rules.get(key, (is_number and 0 <= value <= 1, "a number between 0 and 1"))
    return None if is_right else expected
