"""JSON schemas that callers send: whether each is one, and whether a value fits it.

The draft is the one that `$schema` names, 2020-12 where it names none. `format` is an annotation, as that draft has it.
Nothing is ever fetched: a reference must lead into the schema itself or into one of the drafts. Time is bounded, see
`schema_keywords`; what could not be finished counts as met, as does a pattern with look-around or back-references.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached
from jsonschema import Draft202012Validator
from jsonschema.exceptions import UnknownType, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from .patterns import Pattern, read_pattern, written_out
from .schema_keywords import RUN, Run, counted, metaschema
from .schema_words import cut, describe
from .work import OutOfWork, Work

MOST_CHARS = 100_000
"""Characters of JSON that a schema may have."""
MOST_PATTERN_SIZE = 10_000
"""Characters of all patterns of a schema together, counted repeats written out."""
KEPT_BYTES = 64 * 2**20
"""About the memory that the schemas read before may take."""
_SCHEMA_UNITS = 10_000_000
_BYTES_PER_CHAR, _BYTES_PER_PATTERN_CHAR = 10, 1_200
_UNREADABLE = (AttributeError, KeyError, TypeError, UnknownType, Unresolvable)
"""What the libraries stumble over where the oldest drafts demand too little of a schema, such as a numeric `$ref`."""
_INCONCLUSIVE = (ArithmeticError, OutOfWork, RecursionError, *_UNREADABLE)
_SAMPLES: tuple[Any, ...] = (None, True, 0, "", [], {})
"""A schema that refers to itself without end does so on one of them, most likely."""
_BESIDE_UNEVALUATED = ('"patternProperties"', '"dependentSchemas"')
"""What the library looks into for `unevaluatedProperties` by itself, with Python's patterns and uncounted."""


class NotASchema(ValueError):
    """It is no JSON schema, or none that is accepted; the message says why."""


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A schema ready for use, or what is wrong with it."""

    chars: int
    problem: str | None = None
    validator: Validator | None = None
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    is_partial: bool = False
    """Whether it uses a keyword that is left out."""

    @property
    def bytes(self) -> int:
        """About the memory it takes."""
        pattern_size = sum(pattern.size for pattern in self.patterns.values())
        return _BYTES_PER_CHAR * self.chars + _BYTES_PER_PATTERN_CHAR * pattern_size

    def first_error(self, value: Any, work: Work) -> ValidationError | None:
        """Return the first error that is certain, or None.

        Raises
        ------
        OutOfWork, RecursionError, …
            One of `_INCONCLUSIVE`: it could not be finished.
        """
        assert self.validator is not None
        run = Run(work, self.patterns, self.chars, has_guessed=self.is_partial)
        token = RUN.set(run)
        try:
            return next((error for error in self.validator.iter_errors(value) if run.is_certain(error)), None)
        finally:
            RUN.reset(token)


def schema_problem(schema: Any) -> str | None:
    """Return why `schema` is no JSON schema to check anything against, as a sentence; None when it is one."""
    return _compiled_from(schema).problem


def schema_mismatch(value: Any, schema: Any, work: Work | None = None) -> str | None:
    """Return the first place where a JSON value breaks a schema, as a sentence; None when it fits.

    None also where `work` (by default a fresh purse) did not last, and for what is no schema, see `schema_problem`.
    """
    compiled = _compiled_from(schema)
    if compiled.problem is not None:
        return None
    try:
        error = compiled.first_error(value, work or Work())
    except _INCONCLUSIVE:
        return None
    return None if error is None else describe(error)


def _compiled_from(schema: Any) -> CompiledSchema:
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return CompiledSchema(0, f"it is not JSON: {error}")
    return _compiled(text)


@cached(LRUCache(KEPT_BYTES, getsizeof=lambda compiled: compiled.bytes), lock=Lock())
def _compiled(text: str) -> CompiledSchema:
    """Return the schema written in `text`; the same text is compiled once while there is room for it."""
    try:
        return _compile(text)
    except ValueError as error:
        return CompiledSchema(len(text), str(error))
    except (RecursionError, OutOfWork):
        return CompiledSchema(len(text), "it refers to itself without end, or is nested too deeply")
    except _UNREADABLE as error:
        return CompiledSchema(len(text), f"it cannot be read as a schema: {cut(str(error), 120)}")


def _compile(text: str) -> CompiledSchema:
    """Return the schema written in `text`, checked.

    Raises
    ------
    NotASchema
        It is none; a pattern that is no regular expression raises plain ValueError.
    RecursionError, OutOfWork
        It leads nowhere, or takes too long to.
    """
    if len(text) > MOST_CHARS:
        raise NotASchema(f"it is {len(text)} characters long, at most {MOST_CHARS} are accepted")
    base = _draft(json.loads(text))
    # One draft for the whole: a part that named another would be read by the library's own, uncounted keywords.
    schema = json.loads(text, object_hook=_without_draft)
    _demand_schema(schema, base)
    is_partial = "unevaluatedProperties" in text and any(keyword in text for keyword in _BESIDE_UNEVALUATED)
    left_out = frozenset({"unevaluatedProperties"} if is_partial else ())
    validator = counted(base, left_out)(schema, registry=Registry())
    compiled = CompiledSchema(len(text), None, validator, _read_patterns(schema, base), is_partial)
    for sample in _SAMPLES:
        compiled.first_error(sample, Work())
    return compiled


def _draft(schema: Any) -> type[Validator]:
    """Return the library's validators of the draft that a schema names."""
    named = schema.get("$schema", "") if isinstance(schema, dict) else ""
    if not isinstance(named, str):
        raise NotASchema("its $schema must be text")
    draft: type[Validator] = validator_for({"$schema": named}, default=Draft202012Validator)
    return draft


def _without_draft(part: dict[str, Any]) -> dict[str, Any]:
    if isinstance(part.get("$schema"), str):
        del part["$schema"]
    return part


def _demand_schema(schema: Any, base: type[Validator]) -> None:
    """Raise NotASchema unless `schema` is a schema of the draft."""
    if not isinstance(schema, dict | bool):
        raise NotASchema(f"it must be an object, true or false, got a {type(schema).__name__}")
    error = _judge(base).first_error(schema, Work(_SCHEMA_UNITS))
    if error is not None:
        raise NotASchema(describe(error))


@lru_cache(maxsize=8)
def _judge(base: type[Validator]) -> CompiledSchema:
    """Return the schema of a draft's schemas."""
    rules = metaschema(base)
    validator = counted(base, frozenset())(rules, registry=Registry())
    return CompiledSchema(0, None, validator, _read_patterns(rules, base))


def _read_patterns(schema: Any, base: type[Validator]) -> dict[str, Pattern]:
    """Return the patterns of a schema by their source; raise ValueError where one, or a reference, is wrong."""
    sources = {source for part in _parts(schema, base) for source in _sources(part)}
    size = sum(map(written_out, sources))
    if size > MOST_PATTERN_SIZE:
        raise NotASchema(
            f"its patterns have {size} characters once counted repeats are written out, "
            f"at most {MOST_PATTERN_SIZE} are accepted"
        )
    return {source: read_pattern(source) for source in sources}


def _sources(part: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(part.get("pattern"), str):
        yield part["pattern"]
    if isinstance(part.get("patternProperties"), dict):
        yield from part["patternProperties"]


def _parts(schema: Any, base: type[Validator]) -> Iterator[Mapping[str, Any]]:
    """Yield each object of a schema that is a schema itself, also where only a reference says so."""
    draft = specification_with(base.META_SCHEMA.get("$id") or base.META_SCHEMA["id"])
    root: Resource[Any] = draft.create_resource(schema)
    uri = root.id() or ""
    pending = [(root, REGISTRY.with_resource(uri, root).crawl().resolver(uri))]
    seen: set[int] = set()
    while pending:
        resource, resolver = pending.pop()
        part = resource.contents
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        for name in ("$ref", "$dynamicRef"):
            if isinstance(reference := part.get(name), str):
                found = _lookup(resolver, reference)
                pending.append((draft.create_resource(found.contents), found.resolver))
        pending += [(sub, resolver.in_subresource(sub)) for sub in resource.subresources()]


def _lookup(resolver: Any, reference: str) -> Any:
    try:
        return resolver.lookup(reference)
    except (Unresolvable, ValueError) as error:
        raise NotASchema(f"its reference {cut(reference, 80)!r} leads nowhere; none is fetched") from error
