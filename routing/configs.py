"""Router configs: a named strategy with its candidates and knobs, as written in registry/routers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from ..state.errors import ConfigError
from .policy import nearest_key

Strategy = Literal["plan", "classic"]
_MOST_ESCALATIONS = 5


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """How one named router decides."""

    name: str
    description: str = ""
    strategy: Strategy = "plan"
    """"plan" weighs quality and price; "classic" asks the best draw and climbs on a low score."""
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
        "max_escalations": (is_whole and 0 <= value <= _MOST_ESCALATIONS, f"0 to {_MOST_ESCALATIONS}"),
    }
    is_right, expected = rules.get(key, (is_number and 0 <= value <= 1, "a number between 0 and 1"))
    return None if is_right else expected
