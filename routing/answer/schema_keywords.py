"""The keywords of JSON Schema as the `jsonschema` library reads them, with the work they may do counted.

Two kilobytes of schema can ask for a billion comparisons (`allOf` with two references to a definition that does the
same), and the caller who wrote it shares an event loop with everybody else. So each use of a keyword is paid from one
purse; when that is empty, the check ends and says nothing.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY

from .patterns import Pattern
from .work import Work

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]

_KEYWORD_UNITS = 20
_REFERENCE_UNITS = 100
_LOOSE = frozenset(
    {"contains", "disallow", "else", "not", "oneOf", "then", "unevaluatedItems", "unevaluatedProperties"}
)
"""Keywords under which something taken as met may end as an error."""
_REFERENCES = frozenset({"$dynamicRef", "$recursiveRef", "$ref"})
_TO_ELSEWHERE = re.compile(r'"\$dynamicRef": "#meta|"\$recursiveRef": "#|"\$ref": "meta/[a-z-]+#')
"""The beginning of a reference from one vocabulary to another, or to all of them together."""
_SORTABLE = ({str}, {int}, {float})


@dataclass(slots=True)
class Run:
    """One value on its way through one schema."""

    work: Work
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    """The schema's patterns by their source."""
    schema_chars: int = 0
    has_guessed: bool = False
    """Whether a pattern was met that nothing is known of."""

    def finds(self, source: str, text: str) -> bool | None:
        """Return whether a pattern occurs in `text`; None where that cannot be known."""
        pattern = self.patterns.get(source)
        if pattern is None or pattern.engine is None:
            self.has_guessed = True
            return None
        self.work.spend(pattern.size * len(text) // 3)
        return pattern.found_in(text)

    def is_certain(self, error: ValidationError) -> bool:
        """Return whether `error` stands whatever the unknown patterns would have said."""
        return not self.has_guessed or (not error.context and _LOOSE.isdisjoint(error.absolute_schema_path))


RUN: ContextVar[Run] = ContextVar("run")
"""The run under way: the library gives its keywords no place to keep one."""


@lru_cache(maxsize=32)
def counted(base: type[Validator], left_out: frozenset[str]) -> type[Validator]:
    """Return the validators of one draft with counted keywords and linear patterns, without those `left_out`."""
    own: dict[str, Keyword] = {"pattern": _pattern, "patternProperties": _pattern_properties}
    if "additionalProperties" in base.VALIDATORS:
        own["additionalProperties"] = _additional_properties
    keywords = {**base.VALIDATORS, **{name: own[name] for name in own if name in base.VALIDATORS}}
    changed = {
        name: _nothing if name in left_out else _counting(name, keyword) for name, keyword in keywords.items()
    }
    made: type[Validator] = extend(base, changed)  # type: ignore[no-untyped-call]
    return made


@lru_cache(maxsize=8)
def metaschema(base: type[Validator]) -> Mapping[str, Any]:
    """Return the schema of a draft's schemas in one piece.

    Since 2019 it comes as vocabularies that refer to each other dynamically: five times as slow to check against.
    """
    given: dict[str, Any] = dict(base.META_SCHEMA)
    folder = str(given.get("$id")).rpartition("/")[0]
    vocabularies = [REGISTRY.contents(f"{folder}/{part['$ref']}") for part in given.get("allOf", ())]
    if not vocabularies:
        return {key: value for key, value in given.items() if key != "$schema"}
    parts = [given, *vocabularies]
    whole = {
        "type": given["type"],
        "properties": {name: rule for part in parts for name, rule in part.get("properties", {}).items()},
        "$defs": {name: rule for part in parts for name, rule in part.get("$defs", {}).items()},
    }
    plain: dict[str, Any] = json.loads(_TO_ELSEWHERE.sub('"$ref": "#', json.dumps(whole)))
    return plain


def _nothing(*_: Any) -> None:
    """Take a keyword as met."""


def _counting(name: str, keyword: Keyword) -> Keyword:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        run = RUN.get()
        work = run.work
        work.spend(_KEYWORD_UNITS + _length(value) + _length(instance))
        work.spend(_extra_units(name, value, instance, run.schema_chars))
        for error in keyword(validator, value, instance, schema) or ():
            work.spend(len(error.message))  # it quotes the instance, however large
            yield error

    return check


def _extra_units(name: str, value: Any, instance: Any, schema_chars: int) -> int:
    """Return what a keyword costs beyond looking at its value and its instance once."""
    if name in _REFERENCES:
        # For an anchor the library walks the whole schema again.
        is_pointer = value == "#" or value.startswith("#/")
        return _REFERENCE_UNITS + len(value) + (0 if is_pointer else schema_chars)
    if name in {"enum", "const"} and isinstance(instance, dict | list):
        return len(json.dumps(value))
    if name == "uniqueItems" and isinstance(instance, list):
        # What cannot be sorted is compared pair by pair.
        is_sortable = {type(item) for item in instance} in _SORTABLE
        return 0 if is_sortable else len(instance) * len(json.dumps(instance)) // 8
    return 0


def _length(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _pattern(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and RUN.get().finds(value, instance) is False:
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for source, subschema in value.items():
        for key in instance:
            if RUN.get().finds(source, key):
                yield from validator.descend(instance[key], subschema, path=key, schema_path=source)


def _additional_properties(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    known, sources = schema.get("properties", {}), schema.get("patternProperties", {})
    for key in instance:
        # A key that an unknown pattern may name is not surely an additional one.
        if key in known or any(RUN.get().finds(source, key) is not False for source in sources):
            continue
        if value is False:
            yield ValidationError("is not allowed", path=(key,))
        else:
            yield from validator.descend(instance[key], value, path=key)
