"""Regular expressions that strangers wrote, searched for in linear time.

Python's own engine backtracks: a pattern as short as `(a+)+$` keeps it busy for years on sixty characters. The one here
is the automaton of Rust's `regex`, which pydantic carries: it reads every character once. It has no look-around and no
back-references, and of a pattern that needs them nothing is known.
"""

import re
from dataclasses import dataclass

from pydantic_core import SchemaError, SchemaValidator, core_schema

_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|.", re.DOTALL)
# Comments inside a pattern would hide what is counted; ECMA-262, which JSON Schema follows, knows none.
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
_BEYOND = ("look-around", "backreferences", "exceeds size limit")
"""What the linear engine says of a pattern that is one, though not for it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that can be searched for."""

    size: int
    """About how many characters it has once its counted repeats are written out."""
    engine: SchemaValidator | None
    """None = it needs what the linear engine lacks, or more memory than that allows itself."""

    def found_in(self, text: str) -> bool | None:
        """Return whether `text` holds a match; None where that cannot be known. Takes time like `size` * len(text)."""
        return None if self.engine is None else self.engine.isinstance_python(text)


def read_pattern(source: str) -> Pattern:
    """Return the pattern written in `source`, which need not match from the beginning of a text.

    Raises
    ------
    ValueError
        It is no regular expression, neither to the linear engine nor to Python's.
    """
    size = written_out(source)
    if _VERBOSE.search(source):
        return Pattern(size, None)
    try:
        return Pattern(size, SchemaValidator(core_schema.str_schema(pattern=source)))
    except SchemaError as error:
        if any(words in str(error) for words in _BEYOND):
            return Pattern(size, None)
    try:
        re.compile(source)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{source[:80]!r} is not a regular expression: {error}") from error
    return Pattern(size, None)


def written_out(source: str) -> int:
    """Return about how many characters a pattern has once its counted repeats are written out: `(ab{3}){2}` has 8."""
    groups, item = [0], 0
    for token in _TOKEN.finditer(source):
        text, low, high = token[0], token[1], token[2]
        if text == "(":
            groups.append(0)
        elif text == ")" and len(groups) > 1:
            item = groups.pop()
            groups[-1] += item
        elif low is not None:
            times = max(1, int((high or low)[:6]))
            groups[-1] += item * (times - 1)
            item *= times
        else:
            item = 1
            groups[-1] += item
    return sum(groups)
