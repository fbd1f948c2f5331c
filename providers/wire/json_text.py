"""JSON to and from vendors: by orjson, and by the standard library what orjson takes otherwise."""

import json
import re
from typing import Any

import orjson

from ...state.errors import ProviderMalformed

_MAX_DIGITS = 400
_MAX_DEPTH = 100
_BEYOND = 2**63
_MARK = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\ud800-\udfff]")
_AS_JSON_DOES = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encode_json(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, without spaces.

    Raises
    ------
    ValueError
        When it holds a number that is none, or text that cannot be encoded.
    TypeError
        When it holds what JSON does not know.
    """
    try:
        text = orjson.dumps(value, option=_AS_JSON_DOES)
    except orjson.JSONEncodeError:
        # Names that are no text, numbers beyond 64 bits, halves of surrogate pairs.
        return _encode_slowly(value)
    # It writes a number that is none as null.
    return _encode_slowly(value) if b"null" in text else text


def _encode_slowly(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def parse_json(body: bytes | str, deployment: str, pieces: frozenset[str] = frozenset()) -> Any:
    """Return the JSON value of a body, with every text one that can be encoded.

    Parameters
    ----------
    pieces
        Fields whose text keeps halves of surrogate pairs: the other half may be in the next chunk of a stream.

    Raises
    ------
    ProviderMalformed
        When it is no JSON, holds a number that is none, or is nested more than 100 deep.
    """
    body = body.removeprefix(_MARK) if isinstance(body, bytes) else body
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        # Bytes that are no UTF-8 and halves of surrogate pairs are read all the same.
        return _parse_slowly(body, deployment, pieces)
    return _bounded(value, deployment, _MAX_DEPTH)


def _bounded(value: Any, deployment: str, depth: int) -> Any:
    """Return what orjson read: with whole numbers that 64 bits do not hold as floats, and not nested too deep."""
    if depth < 0:
        raise _too_deep(deployment)
    kind = type(value)
    if kind is dict:
        for name, inner in value.items():
            if type(inner) in _WATCHED:
                value[name] = _bounded(inner, deployment, depth - 1)
    elif kind is list:
        for place, inner in enumerate(value):
            if type(inner) in _WATCHED:
                value[place] = _bounded(inner, deployment, depth - 1)
    elif kind is int and value >= _BEYOND:
        return float(value)
    return value


_WATCHED = frozenset({dict, list, int})


def _parse_slowly(body: bytes | str, deployment: str, pieces: frozenset[str] = frozenset()) -> Any:
    try:
        text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
        value = json.loads(text, parse_constant=_no_number, parse_int=_integer)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ProviderMalformed(f"{deployment} answered 200 with a body that is not JSON") from error
    return _cleaned(value, deployment, _MAX_DEPTH, pieces)


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _integer(digits: str) -> int | float:
    """Return a whole number; one that 64 bits do not hold as the float it stands for."""
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number of too many digits")
    value = int(digits)
    return value if -_BEYOND <= value < _BEYOND else float(value)


def _cleaned(value: Any, deployment: str, depth: int, pieces: frozenset[str]) -> Any:
    if depth < 0:
        raise _too_deep(deployment)
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {
            _SURROGATE.sub("\ufffd", name): one
            if name in pieces and isinstance(one, str)
            else _cleaned(one, deployment, depth - 1, pieces)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(one, deployment, depth - 1, pieces) for one in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise ProviderMalformed(f"{deployment} answered with a number beyond all bounds")
    return value


def _too_deep(deployment: str) -> ProviderMalformed:
    return ProviderMalformed(f"{deployment} answered with JSON nested more than {_MAX_DEPTH} deep")
