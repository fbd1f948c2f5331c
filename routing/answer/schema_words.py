"""Why a value breaks a schema, in one sentence that quotes little of either."""

from collections.abc import Iterable
from typing import Any

from jsonschema.exceptions import ValidationError

MOST_QUOTED_CHARS = 40
"""Characters of a value, or of a key in a path, that a sentence quotes."""
_MOST_EXPECTED_CHARS = 120
_EXPECTED = {
    "anyOf": "what one alternative of anyOf allows",
    "const": "{}",
    "contains": "a list that contains what the schema asks for",
    "dependentRequired": "an object with all keys that depend on each other",
    "divisibleBy": "a multiple of {}",
    "enum": "one of {}",
    "exclusiveMaximum": "below {}",
    "exclusiveMinimum": "above {}",
    "maxItems": "at most {} items long",
    "maxLength": "at most {} characters long",
    "maxProperties": "an object with at most {} keys",
    "maximum": "at most {}",
    "minItems": "at least {} items long",
    "minLength": "at least {} characters long",
    "minProperties": "an object with at least {} keys",
    "minimum": "at least {}",
    "multipleOf": "a multiple of {}",
    "not": "other than the schema says",
    "oneOf": "what exactly one alternative of oneOf allows",
    "pattern": "text that matches {}",
    "uniqueItems": "a list without repeats",
}


def describe(error: ValidationError) -> str:
    """Return what is wrong and where, such as "$.tags[1].id is missing"."""
    error = _nearest(error)
    where, rule = place(error.absolute_path), error.validator
    wanted: Any = error.validator_value
    value: Any = error.instance
    if rule == "required":
        # Draft 3 requires a key at the key itself.
        missing = [key for key in wanted if key not in value] if isinstance(wanted, list) else []
        return f"{place(missing[:1], where)} is missing"
    if rule == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"{where} must be {' or '.join(map(str, types))}, got {type(value).__name__}"
    if not isinstance(rule, str) or rule == "additionalProperties":
        return f"{where} is not allowed"
    if rule not in _EXPECTED:
        return f"{where} does not meet {rule}"
    expected = _EXPECTED[rule].format(cut(repr(wanted), _MOST_EXPECTED_CHARS))
    return f"{where} must be {expected}, got {_quoted(value)}"


def _nearest(error: ValidationError) -> ValidationError:
    """Return what is wrong with the alternative that goes furthest; the error itself where all are of another type."""
    while closer := [one for one in error.context or () if one.path or one.validator != "type"]:
        error = max(closer, key=lambda one: len(one.path))
    return error


def place(path: Iterable[Any], root: str = "$") -> str:
    """Return a path of keys and indices as text: "$.tags[1].id"."""
    return root + "".join(
        f"[{part}]" if isinstance(part, int) else f".{cut(str(part), MOST_QUOTED_CHARS)}" for part in path
    )


def cut(text: str, most_chars: int) -> str:
    """Return `text`, a longer one with an ellipsis in place of its end."""
    return text if len(text) <= most_chars else f"{text[: most_chars - 1]}…"


def _quoted(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    # The end of a long text is cut before it is written out: it may be an answer of a megabyte.
    return cut(repr(value[:MOST_QUOTED_CHARS] if isinstance(value, str) else value), MOST_QUOTED_CHARS)
