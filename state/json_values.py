"""What of Python's values JSON can carry: its parser and its callers make more than the standard allows."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from .errors import InvalidRequest

MAX_DEPTH = 100
"""Objects and lists inside each other; far below the depth at which JSON writers give up."""
MAX_VALUES = 50_000
"""Values of one request, keys included: looking at more would hold up every other call."""


def check_json(given: Any, name: str = "") -> None:
    """Check that a value can be written as JSON, and that it is not too deep or too large.

    Parameters
    ----------
    given
        Anything.
    name
        What the whole is called in messages; "" = the body of a request.

    Raises
    ------
    InvalidRequest
        Naming the place of half a surrogate pair, of a number that is not finite or has more than 64 bits, of nesting
        deeper than `MAX_DEPTH`, or of something that JSON has no word for; the whole where its
        values are more than `MAX_VALUES`.
    """
    if not _is_sound(given, name):
        _name_the_problem(given, name)


def _is_sound(given: Any, name: str) -> bool:
    """Return whether nothing is wrong. Places are not noted here: that takes most of the time, and few need them.

    Raises
    ------
    InvalidRequest
        When there are too many values.
    """
    layer, seen = [given], 0
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in layer:
            kind = type(value)
            if kind is dict:
                below += value.keys()
                below += value.values()
            elif kind is list:
                below += value
            elif not (_is_text(value) if kind is str else value is None or _problem(value, 0) is None):
                return False
            elif isinstance(value, Mapping | tuple):
                return False  # no parser made it: looked at slowly
        seen += len(layer)
        if seen + len(below) > MAX_VALUES:
            raise InvalidRequest(
                f"{name or 'body'}: expected at most {MAX_VALUES} values", field=name or "body"
            )
        if not below:
            return True
        layer = below
    return False


def _name_the_problem(given: Any, name: str) -> None:
    pending = [(given, name, 0)]
    while pending:
        value, path, depth = pending.pop()
        if problem := _problem(value, depth):
            raise InvalidRequest(f"{path or 'body'}: {problem}", field=path or "body")
        if isinstance(value, Mapping):
            pending += [(inner, f"{path}.{key}".strip("."), depth + 1) for key, inner in value.items()]
            pending += [(key, path, depth) for key in value]  # taken first: a bad key must not be quoted
        elif isinstance(value, list | tuple):
            pending += [(inner, f"{path}[{index}]", depth + 1) for index, inner in enumerate(value)]


def _is_text(value: str) -> bool:
    """Return whether a text is valid Unicode."""
    if value.isascii():  # known without a look at it
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _problem(value: Any, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"expected at most {MAX_DEPTH} objects and lists inside each other"
    if isinstance(value, str):
        return None if _is_text(value) else "expected text that is valid Unicode, got half a surrogate pair"
    if isinstance(value, float):
        return None if isfinite(value) else f"expected a finite number, got {value}"
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else "expected a whole number of at most 64 bits"
    is_json = value is None or isinstance(value, Mapping | list | tuple)
    return None if is_json else f"expected JSON, got {type(value).__name__}"
