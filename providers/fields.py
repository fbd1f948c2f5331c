"""Strict reading of mappings that people wrote: a complaint names source, key and what was expected."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from ..state.errors import ConfigError


class Fields:
    """A mapping with a name. `known` lists the keys it may have; None = any text."""

    def __init__(self, mapping: Any, source: str, known: Iterable[str] | None, path: str = "") -> None:
        self.source = source
        self.path = path
        if not isinstance(mapping, Mapping):
            raise ConfigError(f"{source}: {path or 'the file'} must be a mapping, got {mapping!r}")
        self.mapping: Mapping[str, Any] = mapping
        for key in mapping:
            if not isinstance(key, str):
                raise ConfigError(f"{source}: {self._full(key)} must be text")
            if known is not None and key not in (names := tuple(known)):
                nearest = (get_close_matches(key, names, n=1, cutoff=0.0) or names)[0]
                raise ConfigError(f"{source}: unknown key {self._full(key)}; did you mean {nearest}?")

    def wrong(self, key: str, expected: str) -> ConfigError:
        """Return the error that says what `key` must be and what it is."""
        got = repr(self.mapping[key]) if key in self.mapping else "nothing"
        return ConfigError(f"{self.source}: {self._full(key)} must be {expected}, got {got}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return text that is not empty; a YAML date becomes its ISO form."""
        value = self.mapping.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, date):
            return value.isoformat()
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "text")
        return value

    def texts(
        self, key: str, *, allowed: tuple[str, ...] | None = None, one_is_enough: bool = False
    ) -> tuple[str, ...]:
        """Return a list of texts, empty when absent; `one_is_enough` also takes a single text."""
        value = self.mapping.get(key, [])
        if one_is_enough and isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, "a list of texts")
        if allowed is not None and not set(value) <= set(allowed):
            raise self.wrong(key, f"a list of some of {', '.join(allowed)}")
        return tuple(value)

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of `allowed`."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"one of {', '.join(allowed)}")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; absent is false."""
        value = self.mapping.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def count(self, key: str) -> int:
        """Return a whole number above 0."""
        value = self.mapping.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise self.wrong(key, "a whole number above 0")
        return value

    def number(self, key: str) -> Decimal:
        """Return a finite number >= 0, exactly as written."""
        value = self.optional_number(key)
        if value is None:
            raise self.wrong(key, "a number >= 0")
        return value

    def optional_number(self, key: str, highest: int | None = None) -> Decimal | None:
        """Return a finite number from 0 to `highest`, exactly as written, or None when null or absent."""
        value = self.mapping.get(key)
        if value is None:
            return None
        expected = "a number >= 0" if highest is None else f"a number from 0 to {highest}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, expected)
        number = Decimal(str(value))
        if not number.is_finite() or number < 0 or (highest is not None and number > highest):
            raise self.wrong(key, expected)
        return number

    def anything(self, key: str) -> Mapping[str, Any]:
        """Return a mapping of any content."""
        return self.group(key, None).mapping

    def group(self, key: str, known: Iterable[str] | None, *, required: bool = True) -> "Fields":
        """Return the mapping under `key`; absent gives an empty one unless `required`."""
        value = self.mapping.get(key)
        if value is None:
            if required:
                raise self.wrong(key, "a mapping")
            value = {}
        return Fields(value, self.source, known, self._full(key))

    def items(self, key: str, known: Iterable[str]) -> list["Fields"]:
        """Return the mappings of the list under `key`, at least one."""
        value = self.mapping.get(key)
        if not isinstance(value, list) or not value:
            raise self.wrong(key, "a list with at least one entry")
        return [
            Fields(item, self.source, known, f"{self._full(key)}[{index}]")
            for index, item in enumerate(value)
        ]

    def _full(self, key: object) -> str:
        return f"{self.path}.{key}" if self.path else str(key)
