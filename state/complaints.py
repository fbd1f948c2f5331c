"""What is wrong with something that somebody wrote: which part, what it must be, and what came instead.

The formats are pydantic's elsewhere. This room knows neither them nor pydantic, only the errors they list and the JSON
schema they publish, in which each key's `description` says what it must be: "a whole number above 0".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from .errors import ConfigError

WRONG_PART = "wrong_part"
"""Type of the errors that a format raises by itself; `ctx` names a `place` below, and what was `expected` there."""
UP = ".."
"""A step of such a `place`, from a part to the whole it is a part of."""
Place = tuple[str | int, ...]
"""Keys and indices from the whole to a part."""
_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_NO_MAPPING = ("dataclass_type", "dict_type", "model_type")
_PLAINLY = {"missing": "given", "tuple_type": "a list", "list_type": "a list"}
"""What files know by other names."""
_MOST_QUOTED_CHARS = 200


@dataclass(frozen=True, slots=True)
class Complaint:
    """One part that is wrong."""

    place: str
    """Such as "prices.windows[0].end"; "" = the whole."""
    expected: str = ""
    """What it must be."""
    got: str = ""
    hint: str = ""
    """Of a key that is not known: the nearest one that is, as the end of a sentence."""
    line: int | None = None
    """Where it stands in a file, or what it is missing from, from 1; None where nobody knows."""

    def in_file(self, source: str) -> ConfigError:
        """Return the error to raise for a file."""
        return ConfigError(self.sentence(source))

    def sentence(self, source: str) -> str:
        """Return what to say of a file."""
        where = source if self.line is None else f"{source}, line {self.line}"
        if self.hint:
            return f"{where}: unknown key {self.place!r}; {self.hint}"
        return f"{where}: {self.place or 'the file'} must be {self.expected}, got {self.got}"


def complain(errors: Sequence[Mapping[str, Any]], schema: Mapping[str, Any], given: Any) -> Complaint:
    """Return what to say of a format's errors in one sentence: the first of `complain_all`."""
    return complain_all(errors, schema, given)[0]


def complain_all(
    errors: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any],
    given: Any,
    line_of: Callable[[Place], int | None] = lambda _: None,
) -> list[Complaint]:
    """Return what to say of all of a format's errors, each once: of the unknown keys first, then of the others.

    A key that is missing because it was misspelt is one fault: the unknown key says which one was meant.

    Parameters
    ----------
    errors
        What pydantic's `ValidationError.errors()` lists.
    schema
        The JSON schema of the format.
    given
        The whole that was read.
    line_of
        Tells the line of a place.
    """
    unknown = [one for one in errors if one["type"] in _UNKNOWN_KEY]
    others = [one for one in errors if one["type"] not in _UNKNOWN_KEY and not _is_hollow(one, errors)]
    found = {tuple(one["loc"]): _complaint(one, schema, given, line_of) for one in unknown}
    misspelt = {(place[:-1], complaint.hint) for place, complaint in found.items()}
    rest = [
        _complaint(one, schema, given, line_of) for one in others
        if one["type"] != "missing" or (tuple(one["loc"][:-1]), _meant(str(one["loc"][-1]))) not in misspelt
    ]  # fmt: skip
    return list(dict.fromkeys([*found.values(), *rest]))


def _is_hollow(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a list is only too short because its entries are wrong, which is said of them."""
    place = tuple(error["loc"])
    return error["type"] == "too_short" and any(
        tuple(one["loc"][: len(place)]) == place and len(one["loc"]) > len(place) for one in errors
    )


def _complaint(
    error: Mapping[str, Any], schema: Mapping[str, Any], given: Any, line_of: Callable[[Place], int | None]
) -> Complaint:
    place, kind = tuple(error["loc"]), str(error["type"])
    if kind in _UNKNOWN_KEY:
        known = _keys(_along(schema, place[:-1])[-1], schema)
        return Complaint(_path(place), hint=nearest_key(str(place[-1]), known), line=line_of(place))
    if kind == "invalid_key":
        got = f"the key {place[-1]!r}"
        return Complaint(_path(place[:-1]), "a mapping whose keys are texts", got, line=line_of(place))
    if kind == WRONG_PART:
        for step in error["ctx"]["place"]:
            place = place[:-1] if step == UP else (*place, step)
        expected = str(error["ctx"]["expected"])
    elif kind in _NO_MAPPING:
        expected = "a mapping"
    else:
        place, expected = _described(schema, place) or (place, _expectation(kind, str(error["msg"])))
    return Complaint(_path(place), expected, _got(given, place), line=line_of(place))


def _expectation(kind: str, message: str) -> str:
    """Return what pydantic says a part must be, where the format says nothing."""
    return _PLAINLY.get(kind) or message.removeprefix("Input should be ")


def nearest_key(key: str, known: Iterable[str]) -> str:
    """Return a sentence end that names the known key nearest to `key`, or all of them when none is near."""
    known = list(known)
    near = [name for name in known if key and name.startswith(key)]
    near = near or get_close_matches(key, known, n=1, cutoff=0.5)
    return _meant(near[0]) if near else f"known keys are {', '.join(known)}"


def _meant(key: str) -> str:
    return f"did you mean {key!r}?"


def _described(schema: Mapping[str, Any], place: Place) -> tuple[Place, str] | None:
    """Return the innermost part on the way to `place` of which the format says what it must be, and what that is."""
    said = [_description(part) for part in _along(schema, place)]
    depths = (depth for depth in range(len(said) - 1, 0, -1) if said[depth])
    return next(((place[:depth], said[depth]) for depth in depths), None)


def _description(part: Mapping[str, Any]) -> str:
    """Return what is said of a part where it is used, not of the class of its values; "" when nothing is."""
    while "description" not in part and "anyOf" in part:
        part = part["anyOf"][0]
    return str(part.get("description", ""))


def _along(schema: Mapping[str, Any], place: Place) -> list[Mapping[str, Any]]:
    """Return the schemas of the whole, of the part inside it, and so on to `place`, as far as there are any."""
    parts = [schema]
    for step in place:
        outer = _resolved(parts[-1], schema)
        inner = outer.get("items") if isinstance(step, int) else _keys(outer, schema).get(step)
        inner = inner or outer.get("additionalProperties")
        if not isinstance(inner, Mapping):
            break
        parts.append(inner)
    return parts


def _keys(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    keys: Mapping[str, Any] = _resolved(part, schema).get("properties", {})
    return keys


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a part refers to, and of something or null the something."""
    while "$ref" in part or "anyOf" in part:
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part["anyOf"][0]
    return part


def _path(place: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def _got(given: Any, place: Place) -> str:
    for step in place:
        try:
            given = given[step]
        except (KeyError, IndexError, TypeError):
            return "nothing"
    text = repr(given)
    return text if len(text) <= _MOST_QUOTED_CHARS else f"{text[:_MOST_QUOTED_CHARS]}…"
