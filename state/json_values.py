"""What of Python's values JSON can carry: its parser and its callers make more than the standard allows."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from .errors import InvalidRequest

MAX_DEPTH = 100
"""Objects and lists inside each other; far below the depth at which JSON writers give up."""
MAX_VALUES = 50_000
"""Values of one request, keys included: looking at more would hold up every other call."""
MOST_SEEN = 2 * MAX_VALUES
"""Each value is seen twice: in what holds it, and by itself."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


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
        deeper than `MAX_DEPTH`, or of something that JSON has no word for.
    """
    pending, seen = [(given, name, 0)], 0
    while pending:
        value, path, depth = pending.pop()
        # Counted before they are listed: to list a million would take longer than any refusal may.
        seen += 1 + (len(value) if isinstance(value, Mapping | list | tuple) else 0)
        problem = _problem(value, depth) if seen <= MOST_SEEN else f"expected at most {MAX_VALUES} values"
        if problem:
            raise InvalidRequest(f"{path or 'body'}: {problem}", field=path or "body")
        if isinstance(value, Mapping):
            pending += [(inner, f"{path}.{key}".strip("."), depth + 1) for key, inner in value.items()]
            pending += [(key, path, depth) for key in value]  # taken first: a bad key must not be quoted
        elif isinstance(value, list | tuple):
            pending += [(inner, f"{path}[{index}]", depth + 1) for index, inner in enumerate(value)]


def _problem(value: Any, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"expected at most {MAX_DEPTH} objects and lists inside each other"
    if isinstance(value, str):
        found = _LONE_SURROGATE.search(value)
        return "expected text that is valid Unicode, got half a surrogate pair" if found else None
    if isinstance(value, float):
        return None if isfinite(value) else f"expected a finite number, got {value}"
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else "expected a whole number of at most 64 bits"
    is_json = value is None or isinstance(value, Mapping | list | tuple)
    return None if is_json else f"expected JSON, got {type(value).__name__}"
