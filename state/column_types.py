"""Column types that mean the same on SQLite and on Postgres."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text, TypeDecorator

from .packing import pack, unpack

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Postgres refuses NUL; a lone surrogate has no UTF-8 form."""


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    r"""Return the one JSON text of `value`: keys sorted by code point, no spaces, non-ASCII as it is.

    Integers are exact and floats print as Python's `repr`, the shortest digits that read back equal. Close to
    RFC 8785 but not it: `1.0` stays `1.0` and keys sort by code point instead of UTF-16 unit. A lone
    surrogate is written as its `\uXXXX` escape, so the text always has a UTF-8 form, and so is NUL.

    Raises
    ------
    ValueError
        For NaN and infinities, which JSON cannot say.
    TypeError
        For anything that is not JSON.
    """
    return _CANONICAL.encode(value).encode("utf-8", "backslashreplace").decode("utf-8")


class UtcMicroseconds(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC; reads back aware and in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn an aware datetime into microseconds."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a datetime with a time zone, got {value!r}")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn microseconds into a datetime in UTC."""
        if value is None:
            return None
        # One time that no datetime can say must not make every row around it unreadable.
        return EPOCH + min(max(value, EARLIEST), LATEST) * MICROSECOND


class CanonicalJSON(TypeDecorator[dict[str, Any]]):
    """A JSON object, kept as canonical text, packed on SQLite where `packed`."""

    impl = Text
    cache_ok = True

    def __init__(self, *, packed: bool = False) -> None:
        super().__init__()
        self.packed = packed

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | bytes | None:
        """Write the canonical text."""
        if value is None:
            return None
        text = canonical_json(value)
        return pack(text) if self.packed and dialect.name == "sqlite" else text

    def process_result_value(self, value: str | bytes | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002
        """Parse the text."""
        return None if value is None else json.loads(unpack(value))


class FreeText(TypeDecorator[str]):
    """Text from outside; characters no database keeps become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Replace NUL and lone surrogates."""
        return None if value is None else UNSTORABLE.sub("\ufffd", value)


class PackedText(TypeDecorator[str]):
    """A text, packed on SQLite."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], Any] | None:
        """Pack it."""
        return (lambda value: None if value is None else pack(value)) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None] | None:  # noqa: ARG002
        """Unpack it."""
        return lambda value: None if value is None else unpack(value)


class Words(TypeDecorator[tuple[str, ...]]):
    """Names without spaces, kept as one text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Join them."""
        return None if value is None else " ".join(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002
        """Split the text."""
        return None if value is None else tuple(value.split())
